"""The homework's figures of f(w1, w2): its graph, forward mode for each input, reverse mode.

Writes every figure as SVG, PNG and HTML, and a page with the four side by side and the Jacobian.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

import autograd as ag
from examples.homework.command_line import homework_parser
from examples.homework.part2 import f, f1, f2

POINT = (1.0, 2.0)


@dataclass(frozen=True)
class Figure:
    """One drawing of the graph at the point, and what it shows."""

    name: str
    caption: str
    options: dict[str, Any]


def recorded(point: Sequence[float]) -> tuple[list[ag.Tensor], list[ag.Tensor]]:
    """The inputs w1, w2 and the outputs f1, f2 as named Tensors of one graph."""
    inputs = [
        ag.Tensor(value, requires_grad=True, name=f"w{i}") for i, value in enumerate(point, 1)
    ]
    w1, w2 = inputs
    outputs = [f1(w1, w2), f2(w1, w2)]
    for i, output in enumerate(outputs, 1):
        output.name = f"f{i}"
    return inputs, outputs


def figures(inputs: Sequence[ag.Tensor]) -> list[Figure]:
    """The four figures of the task."""
    w1, w2 = inputs
    return [
        Figure("graph", "The computation graph, with the values", {"edge_numbers": "value"}),
        Figure(
            "forward_w1",
            "Forward mode for w1: every edge carries a tangent",
            {"tangents": {w1: 1.0}, "edge_numbers": "tangent"},
        ),
        Figure(
            "forward_w2",
            "Forward mode for w2: every edge carries a tangent",
            {"tangents": {w2: 1.0}, "edge_numbers": "tangent"},
        ),
        Figure(
            "reverse",
            "Reverse mode for f1 + f2: every edge carries what it adds to an adjoint",
            {"adjoints": True, "edge_numbers": "adjoint"},
        ),
    ]


def draw_figures(out: Path, point: Sequence[float] = POINT) -> list[Path]:
    """Write all figures and the page that collects them; returns the paths."""
    out.mkdir(parents=True, exist_ok=True)
    inputs, outputs = recorded(point)
    written, sections = [], []
    for figure in figures(inputs):
        drawing = ag.draw(*outputs, operands=False, **figure.options)
        written += [Path(drawing.save(out / f"{figure.name}.{s}")) for s in ("svg", "png", "html")]
        svg = drawing.pipe("svg", encoding="utf-8")
        sections.append(
            f"<figure><figcaption>{escape(figure.caption)} "
            f'(<a href="{figure.name}.html">step through it</a>)</figcaption>'
            f"{svg[svg.index('<svg') :]}</figure>"
        )
    jacobian = ag.jacobian(f)(np.asarray(point, float))
    page = out / "figures.html"
    page.write_text(_page(sections, jacobian, point), encoding="utf-8")
    return [*written, page]


def _page(sections: Sequence[str], jacobian: Any, point: Sequence[float]) -> str:
    rows = "".join(
        f"<tr><th>f{i}</th>" + "".join(f"<td>{value:.6g}</td>" for value in row) + "</tr>"
        for i, row in enumerate(jacobian, 1)
    )
    return f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>f(w1, w2) in four figures</title>
<style>
h1 {{ font-size: 1.2rem; }}
body {{ font: 15px system-ui, sans-serif; margin: 1rem; }}
main {{ display: grid; grid-template-columns: repeat(auto-fit, minmax(22rem, 1fr)); gap: 1rem; }}
figure {{ margin: 0; border: 1px solid #bbb; padding: .6rem; break-inside: avoid; }}
figcaption {{ font-weight: 600; margin-bottom: .5rem; }}
svg {{ width: 100%; height: auto; }}
td, th {{ padding: .2rem .8rem; border-bottom: 1px solid #ccc; text-align: right; }}
</style>
<h1>f1 = exp(exp(w1) + exp(2 w2)) + sin(exp(w1) + exp(2 w2)), f2 = w1 w2 + sigmoid(w1)</h1>
<p>At (w1, w2) = ({point[0]:g}, {point[1]:g}). The Jacobian, by reverse mode:</p>
<table><tr><th></th><th>d/dw1</th><th>d/dw2</th></tr>{rows}</table>
<main>{"".join(sections)}</main>
</html>
"""


def main(arguments: Sequence[str] | None = None) -> None:
    """`python -m examples.homework.figures --out DIR`."""
    options = homework_parser("figures", __doc__, draws=True).parse_args(arguments)
    try:
        for path in draw_figures(options.out):
            print(f"picture: {path}")
    except (OSError, RuntimeError) as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
