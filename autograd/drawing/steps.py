"""The three sweeps one node at a time, as a textbook writes a worked example."""

from __future__ import annotations

from collections import Counter
from typing import Any

from autograd.drawing import formulas
from autograd.drawing.labels import swept_text, value_line
from autograd.drawing.local import contributions, partials
from autograd.drawing.numbers import number, summary
from autograd.drawing.pictures import Picture
from autograd.markers import LEAF, OUTPUT
from autograd.node import Node

Step = dict[str, Any]


class Steps:
    """Steps of the picture's nodes: {'node': number, 'text': ..., 'updates': [...]}.

    An update sets a cell of the running table: {'node', 'column', 'text'}.
    """

    def __init__(self, picture: Picture, nodes: list[Node]) -> None:
        self.picture = picture
        self.nodes = nodes
        self.number = {node: index for index, node in enumerate(nodes)}
        names = Counter(node.name for node in nodes)
        self.symbols = [
            node.name if node.name and names[node.name] == 1 else f"{node.name or 'v'}{index}"
            for index, node in enumerate(nodes)
        ]

    def symbol(self, source: Any) -> str:
        """The name of an operand: its Tensor's, its number, or a constant's value."""
        if type(source) is Node:
            return self.symbols[self.number[source]] if source in self.number else "…"
        return "constant" if source is None else summary(source)

    def evaluation(self) -> list[Step]:
        """The values, as they were computed."""
        found = []
        for index, node in enumerate(self.nodes):
            _, text = value_line(node)
            found.append(self._step(index, f"{self._definition(node)} = {text}", "value", text))
        return found

    def _definition(self, node: Node) -> str:
        symbol = self.symbols[self.number[node]]
        if node.op is LEAF:
            return symbol
        operands = [self.symbol(source) for source in node.inputs]
        if node.op is OUTPUT:
            return f"{symbol} = output {node.params['index']} of {operands[0]}"
        return f"{symbol} = {formulas.expression(node.op.name, operands)}"

    def pushforward(self) -> list[Step]:
        """The tangents, from the leaves on."""
        mapping = self.picture.graph.tangents
        if mapping is None:
            return []
        found = []
        for index, node in enumerate(self.nodes):
            text = swept_text(mapping, node)
            symbol = self.symbols[index]
            if node.op is LEAF:
                words = f"d{symbol} = {text}"
            elif node not in mapping:
                words = f"d{symbol} = 0: it does not depend on a moving input"
            else:
                words = f"d{symbol} = {self._pushed(node, mapping)}{text}"
            found.append(self._step(index, words, "tangent", text))
        return found

    def _pushed(self, node: Node, mapping: dict[Node, Any]) -> str:
        """'cos(y) dy = -0.84 * 1 = ' for scalars, else the name of the rule."""
        local = partials(node)
        operands = [self.symbol(source) for source in node.inputs]
        moving = [
            (i, source)
            for i, source in enumerate(node.inputs)
            if type(source) is Node and source in mapping
        ]
        if local is None:
            return f"pushforward of {node.op.name} at {', '.join(operands)} = "
        symbol = self.symbols[self.number[node]]
        terms = [
            f"{formulas.partial(node.op.name, i, operands, symbol)} d{operands[i]}"
            for i, _ in moving
        ]
        figures = [f"{number(local[i])} * {summary(mapping[source])}" for i, source in moving]
        return f"{' + '.join(terms)} = {' + '.join(figures)} = "

    def pullback(self) -> list[Step]:
        """The adjoints, from the outputs back; each step adds to the operands' cells."""
        mapping = self.picture.graph.adjoints
        if mapping is None:
            return []
        running: dict[Node, Any] = {}
        found = []
        outputs = dict.fromkeys(self.picture.graph.outputs)
        for output in outputs:
            if output in self.number:
                text = swept_text(mapping, output)
                symbol = self.symbols[self.number[output]]
                words = f"adj({symbol}) = {text}: the sweep starts here"
                found.append(self._step(self.number[output], words, "adjoint", text))
        for index in range(len(self.nodes) - 1, -1, -1):
            node = self.nodes[index]
            if node.op is LEAF or node not in mapping:
                continue
            adjoint = mapping[node]
            texts, updates = [], []
            local = partials(node)
            for i, value in enumerate(contributions(node, adjoint)):
                source = node.inputs[i]
                if value is None or source not in self.number:
                    continue
                running[source] = value if source not in running else running[source] + value
                texts.append(self._pulled(node, i, local, adjoint, value))
                total = summary(running[source])
                updates.append({"node": self.number[source], "column": "adjoint", "text": total})
            if node.op is OUTPUT:
                texts.append(f"{self.symbols[index]} hands its adjoint to its operation")
            if texts:
                found.append({"node": index, "text": "; ".join(texts), "updates": updates})
        return found

    def _pulled(self, node: Node, i: int, local: Any, adjoint: Any, value: Any) -> str:
        operands = [self.symbol(source) for source in node.inputs]
        symbol = self.symbols[self.number[node]]
        left = f"adj({operands[i]}) += "
        if local is None:
            return f"{left}pullback of {node.op.name} = {summary(value)}"
        rule = formulas.partial(node.op.name, i, operands, symbol)
        figures = f"{number(local[i])} * {summary(adjoint)}"
        return f"{left}{rule} adj({symbol}) = {figures} = {summary(value)}"

    def _step(self, index: int, words: str, column: str, text: str) -> Step:
        return {
            "node": index,
            "text": words,
            "updates": [{"node": index, "column": column, "text": text}],
        }
