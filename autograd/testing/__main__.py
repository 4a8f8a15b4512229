"""`python -m autograd.testing`: the table operation x property."""

from __future__ import annotations

import sys

import autograd as autograd  # registers the operations
from autograd.testing.table import main

if __name__ == "__main__":
    sys.exit(main())
