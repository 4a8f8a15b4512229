"""The figures carry the homework's numbers."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

import autograd as ag
from examples.homework import figures


def test_every_edge_and_node_has_its_number() -> None:
    inputs, outputs = figures.recorded((0.0, 0.0))
    sources = {
        figure.name: ag.draw(*outputs, operands=False, **figure.options).source
        for figure in figures.figures(inputs)
    }
    # At the origin s = 2, so f1 = exp 2 + sin 2, and d f1 / d w2 = 2 (exp 2 + cos 2).
    slope = np.exp(2.0) + np.cos(2.0)
    assert f"{np.exp(2.0) + np.sin(2.0):.4g}" in sources["graph"]
    assert f"tangent {slope:.4g}" in sources["forward_w1"]
    assert f"tangent {2 * slope:.4g}" in sources["forward_w2"]
    assert f"adjoint {2 * slope:.4g}" in sources["reverse"]
    assert f"adjoint {slope + 0.25:.4g}" in sources["reverse"]
    for name, source in sources.items():
        edges = [
            line for line in source.splitlines() if "->" in line and "c" not in line.split()[0]
        ]
        assert len(edges) == 14, name
        assert all("label=" in line and 'label=""' not in line for line in edges)


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
def test_all_files_and_the_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    figures.main(["--out", str(tmp_path / "figures")])
    assert capsys.readouterr().out.count("picture: ") == 13
    page = (tmp_path / "figures" / "figures.html").read_text()
    assert page.count("<svg") == 4
    for number in ("2.12082e+25", "8.51958e+26", "2.19661", "<td>1</td>"):
        assert number in page


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SystemExit, match="error: "):
        figures.main(["--out", str(tmp_path / "file")])
