"""Tensors and drawings show themselves in a notebook that is executed."""

from __future__ import annotations

import shutil
import warnings

import pytest

from tests.autograd.drawing import graphs

CELLS = [
    "import autograd as ag\nx = ag.Tensor(0.5, requires_grad=True, name='x')\ny = ag.sin(x * x)",
    "y",
    "x",
    "ag.draw(y, adjoints=True)",
]


def test_a_computed_tensor_has_its_tree_and_a_leaf_its_repr():
    w1, _w2, out = graphs.waves()
    bundle = out._repr_mimebundle_()
    assert bundle["text/plain"] == repr(out)
    assert "n5 add" in bundle["text/html"]
    assert set(w1._repr_mimebundle_()) == {"text/plain"}
    assert "&lt;lambda&gt;" in graphs.labelled()._repr_mimebundle_()["text/html"]
    assert "more than 5,000 nodes" in graphs.chain(6_000)._repr_mimebundle_()["text/html"]
    assert "older nodes" in graphs.chain(500)._repr_mimebundle_()["text/html"]


def test_an_executed_notebook():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Jupyter's own deprecations
        nbformat = pytest.importorskip("nbformat")
        client = pytest.importorskip("nbclient")
        pytest.importorskip("ipykernel")
        notebook = nbformat.v4.new_notebook()
        notebook.cells = [nbformat.v4.new_code_cell(source) for source in CELLS]
        client.NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    _, tensor, leaf, drawing = (cell.outputs for cell in notebook.cells)
    assert "sin" in tensor[0].data["text/html"]
    assert leaf[0].data["text/plain"].startswith("Tensor(0.5, requires_grad=True")
    assert "n2 sin" in drawing[0].data["text/plain"]
    if shutil.which("dot"):
        assert "adjoint" in drawing[0].data["image/svg+xml"]
