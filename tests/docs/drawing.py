"""`python -m tests.docs.drawing`: draw docs/pictures again, by running the pages' own code.

SVG files are those that a page saves; the screenshot of a page to step through is taken at its last
step, by Chromium.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import sys
import tempfile
from pathlib import Path

from tests.docs.pages import DOCS, PAGES, pictures, run


def screenshot(page: Path, out: Path) -> None:
    """The last step of a page made by `ag.draw_html`, as PNG."""
    from selenium import webdriver
    from selenium.webdriver.common.by import By

    options = webdriver.ChromeOptions()
    for argument in ("--headless", "--no-sandbox", "--hide-scrollbars", "--window-size=1100,860"):
        options.add_argument(argument)
    driver = webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver")))
    try:
        driver.get(page.as_uri())
        # The reverse sweep is the last of the choices.
        driver.find_elements(By.CSS_SELECTOR, "#sweeps button")[-1].click()
        driver.find_element(By.ID, "last").click()
        driver.save_screenshot(str(out))
    finally:
        driver.quit()


def main() -> int:
    """Draw the pictures of every page, or of those named."""
    parser = argparse.ArgumentParser(prog="python -m tests.docs.drawing", description=__doc__)
    parser.add_argument("pages", nargs="*", help="pictures.md, say (default: all)")
    options = parser.parse_args()
    for page in PAGES:
        names = pictures(page.read_text())
        if not names or (options.pages and page.name not in options.pages):
            continue
        with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
            with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
                run(page.read_text(), page.name)
            for name in names:
                drawn, out = Path(folder, name), DOCS / "pictures" / name
                if drawn.suffix == ".png":
                    screenshot(drawn.with_suffix(".html"), out)
                else:
                    shutil.copyfile(drawn, out)
                print(out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
