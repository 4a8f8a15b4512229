"""Whether a part of a model is called under a condition, by the source of `forward`."""

from __future__ import annotations

import ast
import inspect
import textwrap

from nn.module import Module

_CHOICES = (ast.If, ast.IfExp, ast.Match, ast.While, ast.BoolOp, ast.Try)


def called_by_choice(model: Module, path: str) -> bool:
    """Whether some module on the way to `path` is only used where the data may choose.

    True where a `forward` mentions the attribute only in branches, or indexes it by something
    that is not constant, as in `self.experts[number](x)`. False where the source is not to be had.
    """
    at = model
    names = path.split(".")
    modules = dict(model.named_modules(remove_duplicate=False))
    for position, name in enumerate(names):
        if _mentioned_by_choice(at, name):
            return True
        at = modules.get(".".join(names[: position + 1]), at)
    return False


def _mentioned_by_choice(owner: Module, attribute: str) -> bool:
    try:
        source = inspect.getsource(type(owner).forward)
        tree = ast.parse(textwrap.dedent(source))
    except (OSError, TypeError, SyntaxError):
        return False
    if not tree.body or not isinstance(tree.body[0], ast.FunctionDef):
        return False
    function = tree.body[0]
    if not function.args.args:
        return False
    mentions = list(_mentions(function, function.args.args[0].arg, attribute))
    return bool(mentions) and all(mentions)


def _mentions(function: ast.FunctionDef, self_name: str, attribute: str) -> list[bool]:
    """For each `self.attribute`, whether it is a choice."""
    found: list[bool] = []
    stack: list[tuple[ast.AST, bool]] = [(function, False)]
    while stack:
        node, chosen = stack.pop()
        if (
            isinstance(node, ast.Attribute)
            and node.attr == attribute
            and isinstance(node.value, ast.Name)
            and node.value.id == self_name
        ):
            found.append(chosen)
            continue
        left = False
        for name, child in _fields(node):
            inside = chosen or left
            if isinstance(node, _CHOICES) and name not in ("test", "subject"):
                inside = True
            if isinstance(node, ast.Subscript) and name == "value":
                inside = inside or not _constant(node.slice)
            # What follows a branch that may return.
            left = left or (isinstance(child, _CHOICES) and _returns(child))
            stack.append((child, inside))
    return found


def _returns(branch: ast.AST) -> bool:
    return any(isinstance(node, ast.Return | ast.Break | ast.Continue) for node in ast.walk(branch))


def _fields(node: ast.AST) -> list[tuple[str, ast.AST]]:
    found: list[tuple[str, ast.AST]] = []
    for name, value in ast.iter_fields(node):
        items = value if isinstance(value, list) else [value]
        found += [(name, item) for item in items if isinstance(item, ast.AST)]
    return found


def _constant(index: ast.expr) -> bool:
    return isinstance(index, ast.Constant | ast.UnaryOp | ast.Slice)
