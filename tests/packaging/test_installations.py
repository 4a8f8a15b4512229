"""Clean environments, one for each interpreter and each end of NumPy's versions.

They take packages from an index, so they run only when asked for: `make test-packaging`.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.packaging.building import ROOT, copy_tree, unpack
from tests.packaging.environments import Environment, find_interpreter

pytestmark = pytest.mark.packaging

# The oldest NumPy 2 that has wheels for each interpreter.
OLDEST = {"3.11": "2.0.0", "3.12": "2.0.0", "3.13": "2.1.0"}
ENDS = ("oldest", "newest")
# What is tested with both: the library, but for what cannot be imported without its extra.
PARTS = [f"tests/{part}" for part in ("autograd", "nn", "optim", "reference")]
PARTS.append("--ignore=tests/autograd/onnx_export")
WITHOUT_EXTRAS = """
import importlib.metadata, importlib.util
import numpy as np
import autograd as ag, nn, optim

for absent in ("numba", "hypothesis", "pygraphviz", "matplotlib", "torch"):
    assert importlib.util.find_spec(absent) is None, absent
try:
    ag.testing.strategies.arrays()
except ImportError as error:
    assert "dagrad[testing]" in str(error), error
else:
    raise AssertionError("strategies without Hypothesis")
for name in ag.__all__ + nn.__all__ + optim.__all__:
    assert any(hasattr(module, name) for module in (ag, nn, optim)), name
print("numpy", np.__version__)
"""


def environment(version: str, folder: Path) -> Environment:
    interpreter = find_interpreter(version)
    if interpreter is None:
        pytest.skip(f"no Python {version} with venv and ensurepip on this machine")
    return Environment(interpreter, folder)


def numpy_of(version: str, end: str) -> list[str]:
    return (
        [f"numpy=={OLDEST[version]}", "graphviz==0.20"]
        if end == "oldest"
        else ["numpy", "graphviz"]
    )


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("version", OLDEST)
def test_a_clean_environment(version, end, wheel, tmp_path):
    env = environment(version, tmp_path / "env")
    env.install(wheel, *numpy_of(version, end))
    assert "No broken requirements" in env.run("-m", "pip", "check")
    found = env.run("-W", "error", "-c", WITHOUT_EXTRAS).split()[-1]
    if end == "oldest":
        assert found == OLDEST[version]
    else:
        assert tuple(map(int, found.split(".")[:2])) > (2, 0)
    blocks = re.findall(r"^```python\n(.*?)^```", (ROOT / "README.md").read_text(), re.M | re.S)
    (tmp_path / "readme.py").write_text("\n".join(blocks))
    env.run("-W", "error", str(tmp_path / "readme.py"), cwd=tmp_path)
    print(f"Python {version}, NumPy {found}")


@pytest.mark.parametrize(("version", "end"), [("3.11", "oldest"), ("3.13", "newest")])
def test_the_tests_of_the_sdist_pass(version, end, sdist, tmp_path):
    env = environment(version, tmp_path / "env")
    tree = unpack(sdist, tmp_path / "unpacked")
    env.install(*numpy_of(version, end), "hypothesis", "pytest", "scipy", "networkx")
    said = env.run("-m", "pytest", "-q", *PARTS, cwd=tree, timeout=3600)
    assert re.search(r"\d{3,} passed", said)
    print(f"Python {version}, {end} NumPy: {said.splitlines()[-1]}")


@pytest.mark.parametrize("version", OLDEST)
@pytest.mark.parametrize("ours_first", [True, False], ids=["before", "after"])
def test_the_real_other_autograd(version, ours_first, wheel, tmp_path):
    env = environment(version, tmp_path / "env")
    for part in (wheel, "autograd") if ours_first else ("autograd", wheel):
        env.install(part)
    messages = {p: env.attempt("-c", f"import {p}").stderr for p in ("autograd", "nn", "optim")}
    if ours_first:
        assert messages.pop("autograd") == ""  # theirs, which knows nothing of us
    for package, message in messages.items():
        assert "ImportError" in message, package
        assert "`pip uninstall autograd`" in message, package
    # The remedy that the message names.
    env.run("-m", "pip", "uninstall", "--quiet", "--yes", "autograd")
    env.install("--force-reinstall", "--no-deps", wheel)
    env.run("-W", "error", "-c", "import autograd, nn, optim; autograd.Tensor(1.0)")
    assert "No broken requirements" in env.run("-m", "pip", "check")


def test_build_and_twine_are_content(tmp_path):
    env = environment("3.11", tmp_path / "env")
    env.install("build", "twine")
    tree = copy_tree(tmp_path / "tree")
    env.run("-m", "build", "--outdir", str(tmp_path / "dist"), str(tree))
    made = sorted(map(str, (tmp_path / "dist").iterdir()))
    assert [Path(name).suffix for name in made] == [".whl", ".gz"]
    said = env.run("-m", "twine", "check", "--strict", *made)
    assert said.count("PASSED") == 2
