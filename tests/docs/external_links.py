"""`python -m tests.docs.external_links`: ask whether the documentation's external links answer.

The tests never use the network; this command does, one request for each address.
"""

from __future__ import annotations

import argparse
import re
import sys
import urllib.error
import urllib.request
from collections.abc import Iterable

from tests.docs.pages import PAGES, ROOT

ADDRESS = re.compile(r"\]\((https?://[^)\s]+)\)")


def external_links(texts: Iterable[str]) -> list[str]:
    """Every address that is linked to, once."""
    return sorted({address for text in texts for address in ADDRESS.findall(text)})


def problem(address: str, timeout: float) -> str:
    """What is wrong with an address; empty if it answers."""
    request = urllib.request.Request(address, headers={"User-Agent": "Mozilla/5.0"})
    try:
        with urllib.request.urlopen(request, timeout=timeout):
            return ""
    except urllib.error.HTTPError as error:
        return f"{error.code} {error.reason}"
    except OSError as error:
        return str(error)


def main() -> int:
    """Print a line for each address; 1 if one does not answer."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.docs.external_links", description=__doc__
    )
    parser.add_argument("--timeout", type=float, default=20.0, metavar="S", help="seconds for each")
    options = parser.parse_args()
    failures = 0
    for address in external_links(p.read_text() for p in [*PAGES, ROOT / "CHANGELOG.md"]):
        wrong = problem(address, options.timeout)
        failures += bool(wrong)
        print(f"{address}: {wrong or 'answers'}", flush=True)
    return min(1, failures)


if __name__ == "__main__":
    sys.exit(main())
