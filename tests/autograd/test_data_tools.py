"""pandas and matplotlib take untracked Tensors; a tracked one says how to detach it."""

from __future__ import annotations

import numpy as np
import pytest

import autograd as ag

VALUES = np.array([3.0, 1.0, 2.0])


@pytest.fixture
def axes():
    figure = pytest.importorskip("matplotlib.figure")
    return figure.Figure().subplots()


PLOTS = {
    "plot": lambda axes, t: axes.plot(t)[0].get_ydata(),
    "plot against": lambda axes, t: axes.plot(t, t)[0].get_xdata(),
    "scatter": lambda axes, t: axes.scatter(t, t).get_offsets()[:, 1],
    "bar": lambda axes, t: [bar.get_height() for bar in axes.bar(range(3), t)],
    "imshow": lambda axes, t: axes.imshow(t.reshape(1, 3)).get_array()[0],
}
FRAMES = {
    "column": lambda pandas, t: pandas.DataFrame({"x": t})["x"],
    "series": lambda pandas, t: pandas.Series(t),
    "assign": lambda pandas, t: pandas.DataFrame({"y": [1, 2, 3]}).assign(x=t)["x"],
    "frame": lambda pandas, t: pandas.DataFrame(t.reshape(3, 1))[0],
}


@pytest.mark.parametrize("kind", PLOTS)
def test_matplotlib(axes, kind):
    assert np.array_equal(PLOTS[kind](axes, ag.Tensor(VALUES)), VALUES)
    with pytest.raises(RuntimeError, match=r"\.detach\(\)"):
        PLOTS[kind](axes, ag.Tensor(VALUES, requires_grad=True) * 1.0)


@pytest.mark.parametrize("kind", FRAMES)
def test_pandas(kind):
    pandas = pytest.importorskip("pandas")
    found = FRAMES[kind](pandas, ag.Tensor(VALUES))
    assert found.dtype == np.float64
    assert np.array_equal(found, VALUES)
    with pytest.raises(RuntimeError, match=r"\.detach\(\)"):
        FRAMES[kind](pandas, ag.Tensor(VALUES, requires_grad=True) * 1.0)
