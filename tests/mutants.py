"""Mutation testing: `python -m tests.mutants [MODULE ...]` changes one thing in a rule at a time.

Each mutant is imported in a process of its own and must fail a property of the operations that its
file defines (see `autograd.testing.properties`), or for a module of the engine one of the engine's
tests. Survivors are listed with their change.
"""

from __future__ import annotations

import argparse
import ast
import copy
import importlib.abc
import importlib.util
import multiprocessing
import os
import signal
import sys
import time
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).parent.parent
SECONDS = 90

ENGINE_OPERATIONS = (
    "add",
    "where",
    "matmul",
    "split",
    "max",
    "prod",
    "softmax",
    "linalg.qr",
    "conv2d",
)
ENGINE_TESTS = (
    "test_sweep.py",
    "test_graph_sweeps.py",
    "test_transforms.py",
    "test_storage.py",
    "test_anomaly.py",
    "test_modes.py",
    "test_op.py",
    "test_tensor.py",
    "test_machine.py",
    "test_laws.py",
    "test_memory.py",
    "testing/test_programs.py",
)

_OPERATORS = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.Pow: ast.Mult,
    ast.MatMult: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
}
_COMPARISONS = {
    ast.Gt: ast.LtE,
    ast.GtE: ast.Lt,
    ast.Lt: ast.GtE,
    ast.LtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
}
_NAMES = {
    "sin": "cos",
    "cos": "sin",
    "sinh": "cosh",
    "cosh": "sinh",
    "exp": "expm1",
    "log": "log1p",
    "sum": "max",
    "maximum": "minimum",
    "minimum": "maximum",
    "tril": "triu",
    "triu": "tril",
    "square": "absolute",
    "sqrt": "cbrt",
    "relu": "absolute",
    "zeros": "ones",
}
_COMMUTATIVE = frozenset(
    {
        "maximum",
        "minimum",
        "max",
        "min",
        "hypot",
        "logaddexp",
        "multiply",
        "result_type",
        "broadcast_shapes",
        "swapaxes",
        "_squared_radius",
    }
)
"""Swapping the arguments of these changes nothing (in swapaxes they are two axes)."""
_UNDOING = frozenset({"undo_broadcast", "unbroadcast", "_undo_broadcast"})
"""Sums over what broadcasting repeated; a mutant loses them."""


@dataclass(frozen=True)
class Mutant:
    """One change of one module."""

    module: str
    line: int
    change: str
    source: str
    names: tuple[str, ...]
    """Public names whose definition holds the change."""


def _sample_makers(tree: ast.Module) -> set[str]:
    """Functions that only shape the samples: a change makes another sample, no wrong rule."""
    return {
        keyword.value.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg == "transform" and isinstance(keyword.value, ast.Name)
    }


def _rule_nodes(tree: ast.Module) -> Iterator[tuple[ast.stmt, ast.AST]]:
    """Expressions inside functions and lambdas that are no checks, messages or samples."""
    makers = _sample_makers(tree)
    for statement in tree.body:
        roots: list[ast.AST] = []
        if isinstance(statement, ast.FunctionDef):
            if statement.name in makers:
                continue
            roots = list(statement.body)
        elif isinstance(statement, ast.ClassDef):
            methods = [item for item in statement.body if isinstance(item, ast.FunctionDef)]
            roots = [line for method in methods for line in method.body]
        elif isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value is not None:
            roots = [n for n in ast.walk(statement.value) if isinstance(n, ast.Lambda)]
            if isinstance(statement.value, ast.Call):
                # Constant partials and transposes: elements of tuples among the arguments.
                roots += [a for a in statement.value.args if isinstance(a, ast.Tuple)]
        for root in roots:
            for node in _walk(root):
                yield statement, node


def _walk(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Raise | ast.JoinedStr):
        return
    if isinstance(node, ast.If) and any(isinstance(s, ast.Raise) for s in node.body):
        return
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return
    yield node
    for child in ast.iter_child_nodes(node):
        # zip's strict only finds mistakes of ours: what it zips is equally long.
        if not (isinstance(child, ast.keyword) and child.arg == "strict"):
            yield from _walk(child)


def _changes(node: ast.AST) -> Iterator[tuple[str, Any]]:
    """What can be changed at a node: a description, and a function that changes a copy of it."""

    def setting(name: str, value: Any) -> Any:
        return lambda target: setattr(target, name, value)

    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        other = _OPERATORS[type(node.op)]
        yield f"{type(node.op).__name__} -> {other.__name__}", setting("op", other())
        if isinstance(node.op, ast.Mult):
            yield "dropped factor", setting("right", ast.Constant(1.0))
        elif isinstance(node.op, ast.Add) and not isinstance(node.right, ast.Constant):
            yield "dropped term", setting("right", ast.Constant(0))
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield "sign", setting("op", ast.UAdd())
    elif isinstance(node, ast.Compare) and type(node.ops[0]) in _COMPARISONS:
        other_comparison = _COMPARISONS[type(node.ops[0])]
        yield (
            f"{type(node.ops[0]).__name__} -> {other_comparison.__name__}",
            setting("ops", [other_comparison(), *node.ops[1:]]),
        )
    elif isinstance(node, ast.Attribute) and node.attr in _NAMES:
        yield f"{node.attr} -> {_NAMES[node.attr]}", setting("attr", _NAMES[node.attr])
    elif isinstance(node, ast.Constant) and type(node.value) in (int, float):
        yield f"{node.value} -> {node.value + 1}", setting("value", node.value + 1)
    elif isinstance(node, ast.Constant) and type(node.value) is bool:
        yield f"{node.value} -> {not node.value}", setting("value", not node.value)
    elif (
        isinstance(node, ast.Call)
        and len(node.args) == 2
        and not node.keywords
        and not any(isinstance(argument, ast.Starred) for argument in node.args)
        and _called(node) not in _COMMUTATIVE
    ):
        yield "swapped arguments", setting("args", node.args[::-1])
        if _called(node) in _UNDOING:
            yield "lost un-broadcast", _without_call


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def _without_call(target: ast.Call) -> None:
    """f(x, ...) as (lambda value: value)(x)."""
    value = ast.arguments([], [ast.arg("value")], None, [], [], None, [])
    target.func = ast.Lambda(value, ast.Name("value", ast.Load()))
    target.args = target.args[:1]


def mutants(module: str) -> list[Mutant]:
    """Every mutant of a module."""
    path = ROOT / (module.replace(".", "/") + ".py")
    tree = ast.parse(path.read_text())
    public = _public(tree)
    found = []
    positions = {id(node): i for i, node in enumerate(ast.walk(tree))}
    for statement, node in _rule_nodes(tree):
        for description, change in _changes(node):
            changed = copy.deepcopy(tree)
            target = list(ast.walk(changed))[positions[id(node)]]
            change(target)
            line = getattr(node, "lineno", statement.lineno)
            shown = ast.unparse(node)[:60].replace("\n", " ")
            found.append(
                Mutant(
                    module,
                    line,
                    f"{description} in `{shown}`",
                    ast.unparse(ast.fix_missing_locations(changed)),
                    tuple(n for n in _names(statement) if n in public),
                )
            )
    return found


def _public(tree: ast.Module) -> list[str]:
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and _names(statement) == ["__all__"]:
            return list(ast.literal_eval(statement.value))
    return []


def _names(statement: ast.stmt) -> list[str]:
    if isinstance(statement, ast.FunctionDef):
        return [statement.name]
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    return [target.id for target in targets if isinstance(target, ast.Name)]


class _Loader(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports one module from a changed source."""

    def __init__(self, mutant: Mutant) -> None:
        self.mutant = mutant

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name != self.mutant.module:
            return None
        return importlib.util.spec_from_loader(name, self)

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self.mutant.source, f"<mutant of {self.mutant.module}>", "exec"), vars(module))


def survives(mutant: Mutant, examples: int) -> str:
    """'' if a property fails, else what it survived; to be run in a process of its own."""
    signal.alarm(SECONDS)
    sys.meta_path.insert(0, _Loader(mutant))
    try:
        import autograd as ag
        from autograd.registry import REGISTRY
        from autograd.testing.properties import ONCE, PROPERTIES
    except Exception:
        return ""
    assert ag is not None
    here = sys.modules[mutant.module]
    own = [
        name
        for name, entry in REGISTRY.items()
        if any(getattr(here, public, None) is entry.function for public in vars(here))
    ]
    first = [name for name in own if name.rpartition(".")[2] in mutant.names]
    engine = not mutant.module.startswith("autograd.ops")
    ordered = first or own or (list(ENGINE_OPERATIONS) if engine else list(REGISTRY))
    for name in ordered:
        entry = REGISTRY[name]
        for column, check in PROPERTIES.items():
            count = 1 if column in ONCE else max(examples, len(entry.samples))
            for example in range(count):
                try:
                    check(entry, example % len(entry.samples), example)
                except Exception:
                    return ""
    own_tests = f"ops/test_{mutant.module.rpartition('.')[2]}.py"
    if _tests_fail(ENGINE_TESTS if engine else (own_tests,)):
        return ""
    return f"{len(ordered)} operations and the tests"


def _tests_fail(names: tuple[str, ...]) -> bool:
    import pytest

    paths = [str(path) for name in names if (path := ROOT / "tests/autograd" / name).exists()]
    if not paths:
        return False
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return pytest.main(["-x", "-q", "-p", "no:cacheprovider", *paths]) != 0


def _run(job: tuple[Mutant, int]) -> str:
    mutant, examples = job
    receiver, sender = multiprocessing.Pipe(duplex=False)

    def child() -> None:
        devnull = os.open(os.devnull, os.O_WRONLY)
        os.dup2(devnull, 2)
        try:
            sender.send(survives(mutant, examples))
        except BaseException:
            sender.send("")
            traceback.print_exc()
        os._exit(0)

    process = multiprocessing.get_context("fork").Process(target=child)
    process.start()
    sender.close()
    try:
        return str(receiver.recv())
    except EOFError:
        return ""  # the time limit, or a crash: noticed
    finally:
        process.join()


def main() -> int:
    """Run, print the score and the survivors."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("modules", nargs="*", help="default: every module of autograd.ops")
    parser.add_argument("--examples", type=int, default=4)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    names = options.modules or [
        f"autograd.ops.{path.stem}"
        for path in sorted((ROOT / "autograd/ops").glob("*.py"))
        if path.stem not in ("__init__", "definitions")
    ]
    import numpy

    assert numpy is not None  # imported once, before the forks
    began = time.perf_counter()
    total = killed = 0
    survivors: list[tuple[Mutant, str]] = []
    with ThreadPoolExecutor(options.jobs) as pool:
        for name in names:
            found = mutants(name)
            outcomes = list(pool.map(_run, [(mutant, options.examples) for mutant in found]))
            alive = [(m, o) for m, o in zip(found, outcomes, strict=True) if o]
            total += len(found)
            killed += len(found) - len(alive)
            survivors += alive
            print(f"{name}: {len(found) - len(alive)} of {len(found)} killed", flush=True)
    print(f"\n{killed} of {total} killed in {time.perf_counter() - began:.0f} s; survivors:")
    for mutant, outcome in survivors:
        print(f"{mutant.module}:{mutant.line}: {mutant.change} (survived {outcome})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
