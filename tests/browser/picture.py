"""A picture of a page as a screen of 1,280 pixels shows its top: python tests/browser/picture.py PAGE PNG [HEIGHT]."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.browser.chromium import launched

WIDTH, HEIGHT = 1280, 2400


def picture(page: Path, png: Path, height: int = HEIGHT) -> None:
    with launched() as browser:
        tab = browser.new_page(viewport={"width": WIDTH, "height": 900}, color_scheme="light")
        tab.goto(page.resolve().as_uri())
        tab.screenshot(path=str(png), full_page=True, clip={"x": 0, "y": 0, "width": WIDTH, "height": height})


if __name__ == "__main__":
    picture(Path(sys.argv[1]), Path(sys.argv[2]), *map(int, sys.argv[3:4]))
