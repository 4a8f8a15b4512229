"""Image filters by convolution, against sums over windows written out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples.homework import filters


@given(seed=st.integers(0, 2**32 - 1), height=st.integers(1, 6), width=st.integers(1, 6))
def test_filters_are_what_they_say(seed: int, height: int, width: int) -> None:
    image = np.random.default_rng(seed).uniform(0, 255, (3, height, width))
    gray, edges = filters.apply_filters(image[None])[0]
    red, green, blue = image
    np.testing.assert_allclose(gray, 0.3 * red + 0.6 * green + 0.1 * blue, rtol=1e-12)
    framed = np.pad(blue, 1)
    for i, j in np.ndindex(height, width):
        above, below = framed[i, j : j + 3], framed[i + 2, j : j + 3]
        expected = 128 + (above - below) @ np.array([1.0, 2.0, 1.0])
        assert edges[i, j] == pytest.approx(expected, abs=1e-9)


def test_drawn_picture() -> None:
    picture = filters.drawn_picture(40)
    assert picture.shape == (3, 40, 40)
    assert picture.min() >= 0
    assert picture.max() <= 255
    assert len(np.unique(picture)) > 20


def test_a_picture_of_ones_own(tmp_path: Path) -> None:
    from matplotlib import image

    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3)).astype(np.uint8)
    image.imsave(tmp_path / "own.png", pixels)
    picture = filters.read_picture(tmp_path / "own.png")
    np.testing.assert_allclose(picture, np.moveaxis(pixels, 2, 0), atol=1e-3)
    filters.main(["--image", str(tmp_path / "own.png"), "--out", str(tmp_path / "pictures")])
    assert (tmp_path / "pictures" / "filters.png").read_bytes().startswith(b"\x89PNG")


def test_what_is_no_picture(tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("no picture")
    for name in ("text.png", "missing.png"):
        with pytest.raises(SystemExit, match=f"{name} cannot be read"):
            filters.read_picture(tmp_path / name)


def test_smoke(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    filters.main(["--smoke", "--out", str(tmp_path)])
    assert "(3, 32, 32) -> filtered (2, 32, 32)" in capsys.readouterr().out
    assert (tmp_path / "filters.png").read_bytes().startswith(b"\x89PNG")
