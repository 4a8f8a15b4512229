"""The rules of the source tree, checked on the source: layers, cycles, sizes, names."""

from __future__ import annotations

import ast
import graphlib
import importlib
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LIBRARY = ("autograd", "nn", "optim")
LONGEST_FILE = 400


def source_files(*packages: str) -> list[Path]:
    return sorted(path for package in packages for path in (ROOT / package).rglob("*.py"))


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def find_module(name: str) -> str | None:
    """The module of this project that `name` is, or is a name inside of."""
    while name:
        place = ROOT.joinpath(*name.split("."))
        if place.with_suffix(".py").is_file() or (place / "__init__.py").is_file():
            return name
        name = name.rpartition(".")[0]
    return None


def is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def import_statements(node: ast.AST, only_at_import: bool) -> Iterator[ast.Import | ast.ImportFrom]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.Import, ast.ImportFrom)):
            yield child
        elif not only_at_import or not (
            isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)) or is_type_checking(child)
        ):
            yield from import_statements(child, only_at_import)


def imported_names(path: Path, only_at_import: bool = False) -> Iterator[str]:
    """Every dotted name that a file imports; `from a import b` gives `a.b`."""
    package = module_name(path).split(".")
    if path.name != "__init__.py":
        package = package[:-1]
    for statement in import_statements(ast.parse(path.read_text()), only_at_import):
        if isinstance(statement, ast.Import):
            yield from (alias.name for alias in statement.names)
        else:
            base = package[: len(package) + 1 - statement.level] if statement.level else []
            prefix = ".".join([*base, *([statement.module] if statement.module else [])])
            yield from (f"{prefix}.{alias.name}" for alias in statement.names)


def is_inside(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


FORBIDDEN = {
    "autograd": ("nn", "optim", "examples", "benchmarks", "tests"),
    "nn": ("optim", "examples", "benchmarks", "tests"),
    "optim": ("examples", "benchmarks", "tests"),
    "examples": ("benchmarks", "tests"),
}


@pytest.mark.parametrize("package", FORBIDDEN)
def test_layers_do_not_import_what_stands_above_them(package: str) -> None:
    wrong = [
        f"{module_name(path)} imports {name}"
        for path in source_files(package)
        for name in imported_names(path)
        if any(is_inside(name, above) for above in FORBIDDEN[package])
    ]
    assert not wrong


def test_kernels_import_only_kernels() -> None:
    kernels = source_files("autograd/kernels")
    assert kernels
    wrong = [
        f"{module_name(path)} imports {name}"
        for path in kernels
        for name in imported_names(path)
        if find_module(name) is not None and not is_inside(name, "autograd.kernels")
    ]
    assert not wrong


def test_nothing_is_imported_in_a_circle() -> None:
    graph = {
        module_name(path): {
            found
            for name in imported_names(path, only_at_import=True)
            if (found := find_module(name)) is not None and found != module_name(path)
        }
        for path in source_files(*LIBRARY, "examples")
    }
    graphlib.TopologicalSorter(graph).prepare()


def third_party(modules: list[str]) -> set[str]:
    tops = {name.partition(".")[0] for name in modules}
    # Cython's runtime is part of numpy.random.
    return {
        name for name in tops if name not in sys.stdlib_module_names and "cython" not in name
    } - {"__main__"}


@pytest.mark.parametrize("package", LIBRARY)
def test_the_library_loads_no_third_party_but_numpy(package: str) -> None:
    code = (
        "import sys, numpy\n"
        "before = set(sys.modules)\n"
        f"import {package}\n"
        "print(*(set(sys.modules) - before))"
    )
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert package in run.stdout.split()
    assert third_party(run.stdout.split()) <= {*LIBRARY, "numpy"}


@pytest.mark.parametrize(
    "path",
    [path for path in source_files(*LIBRARY) if path.name == "__init__.py"],
    ids=lambda path: module_name(path),
)
def test_init_files_only_re_export(path: Path) -> None:
    exported = []
    imported = []
    for statement in ast.parse(path.read_text()).body:
        if isinstance(statement, (ast.Import, ast.ImportFrom)):
            imported += [alias.asname or alias.name for alias in statement.names]
        elif isinstance(statement, ast.Assign):
            assert ast.unparse(statement.targets[0]) == "__all__"
            exported = list(ast.literal_eval(statement.value))
        elif isinstance(statement, ast.FunctionDef):
            assert statement.name == "__getattr__"  # what is loaded when it is first used
        else:
            assert isinstance(statement, ast.Expr)
            assert isinstance(statement.value, ast.Constant), ast.unparse(statement)
    assert bool(imported) == bool(exported)
    assert len(exported) == len(set(exported))
    module = importlib.import_module(module_name(path))
    assert [name for name in exported if not hasattr(module, name)] == []


@pytest.mark.parametrize("package", LIBRARY)
def test_no_module_has_the_name_of_a_public_function(package: str) -> None:
    module = importlib.import_module(package)
    functions = {name for name in module.__all__ if callable(getattr(module, name))}
    modules = {path.stem for path in source_files(package)}
    assert functions
    assert not functions & modules


@pytest.mark.parametrize("package", LIBRARY)
def test_every_folder_is_shipped(package: str) -> None:
    # setuptools leaves folders without __init__.py out of the wheel and says nothing.
    folders = {path.parent for path in source_files(package)}
    assert ROOT / package in folders
    assert [str(folder) for folder in folders if not (folder / "__init__.py").is_file()] == []
    assert (ROOT / package / "py.typed").is_file()
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    assert {package, f"{package}.*"} <= set(settings["packages"]["find"]["include"])
    assert "py.typed" in settings["package-data"][package]


def test_files_are_short() -> None:
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text().splitlines())
        for path in source_files(*LIBRARY, "examples", "benchmarks", "tests")
    }
    assert {name: length for name, length in lengths.items() if length > LONGEST_FILE} == {}


def test_tests_mirror_the_source_tree() -> None:
    mirrored = (*LIBRARY, "examples", "benchmarks")
    folders = {path.parent.relative_to(ROOT / "tests") for path in source_files("tests")}
    assert folders
    strays = [
        str(folder)
        for folder in folders
        if folder.parts[:1] and folder.parts[0] in mirrored and not (ROOT / folder).is_dir()
    ]
    assert not strays
