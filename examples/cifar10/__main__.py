"""`python -m examples.cifar10`."""

from __future__ import annotations

import sys

from examples.cifar10.cli import main

if __name__ == "__main__":
    sys.exit(main())
