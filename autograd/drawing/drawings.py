"""A drawing: a `graphviz.Digraph` that renders with what is there and shows itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import graphviz

from autograd.drawing import layout, trees
from autograd.drawing.files import write
from autograd.drawing.pages import page
from autograd.drawing.pictures import Picture, unfolded


class Drawing(graphviz.Digraph):  # type: ignore[misc]  # the package has no type information
    """What `draw` returns: `save("graph.svg")`, `pipe("png")`, or shown by a notebook."""

    def __init__(
        self, picture: Picture | None = None, direction: str = "TB", **options: Any
    ) -> None:
        """Of a picture; without one (a subgraph or a copy) as `graphviz.Digraph`."""
        self.picture = picture
        if picture is None:
            super().__init__(**options)
            return
        font = {"fontname": "Helvetica,Arial,sans-serif", "fontsize": "11"}
        super().__init__(
            format="svg",
            graph_attr={
                "rankdir": direction,
                "nodesep": "0.3",
                "ranksep": "0.4",
                **font,
            },
            node_attr={**font, "margin": "0.12,0.06"},
            edge_attr={**font, "fontsize": "9", "color": "#555555", "arrowsize": "0.7"},
        )

    def pipe(self, format: str | None = None, *args: Any, **kwargs: Any) -> Any:
        """The picture as bytes (as text with `encoding`), in a process with a time limit.

        Raises RenderingError (a RuntimeError) when Graphviz is missing or fails, ValueError for
        an unknown format.
        """
        encoding = kwargs.pop("encoding", None)
        chosen = format or self.format
        data = layout.render(self.source, chosen, self._tree(), engine=self.engine)
        return data if encoding is None else data.decode(encoding)

    def save(self, filename: Any = None, directory: Any = None, **options: Any) -> str:
        """Write the drawing; the suffix says how: svg, png, pdf, html (a page to step through
        the sweeps), and gv or dot for its DOT text. The file is replaced as a whole or not at all.

        Returns the path. Raises ValueError for another suffix, OSError where it cannot write,
        RenderingError as `pipe`.
        """
        path = Path(directory or "") / Path(filename or "graph.gv")
        suffix = path.suffix.lower().removeprefix(".")
        if suffix == "html" and self.picture is not None:
            data = page(unfolded(self.picture)).encode()
        elif suffix in ("gv", "dot", ""):
            data = self.source.encode()
        else:
            layout.check_format(suffix)
            data = self.pipe(suffix)
        write(path, data)
        return str(path)

    def render(self, filename: Any = None, directory: Any = None, **options: Any) -> str:
        """Write `filename` with the suffix of `format` (svg) added, as Digraph.render does, and
        with `view` open it in the system's viewer. No DOT file is left behind.
        """
        name = f"{filename or 'graph'}.{options.get('format') or self.format}"
        path = self.save(name, directory)
        if options.get("view"):
            graphviz.view(path)
        return path

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None, **_: Any) -> Any:
        text = self._tree()
        try:
            return {"image/svg+xml": self.pipe("svg", encoding="utf-8"), "text/plain": text}
        except layout.RenderingError:
            return {"text/plain": text}

    def _tree(self) -> str:
        return self.source if self.picture is None else trees.tree_text(self.picture)

    def _repr_svg_(self) -> str:
        return str(self.pipe("svg", encoding="utf-8"))
