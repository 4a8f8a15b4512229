"""What is in the wheel and in the source distribution, and what they say of themselves."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import tomllib
from email import message_from_bytes

import pytest

from tests.packaging.building import FILES, FOLDERS, PACKAGES, ROOT, build, contents, unpack

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_the_wheel_holds_the_three_packages_and_nothing_else(wheel, tree):
    names = set(contents(wheel))
    info = f"dagrad-{PROJECT['version']}.dist-info"
    sources = {
        path.relative_to(tree).as_posix()
        for package in PACKAGES
        for path in (tree / package).rglob("*")
        if path.is_file()
    }
    assert len(sources) > 100
    assert {f"{package}/py.typed" for package in PACKAGES} <= sources
    assert "autograd/drawing/page.html" in sources
    assert {name for name in names if not name.startswith(info)} == sources
    assert {
        f"{info}/METADATA",
        f"{info}/WHEEL",
        f"{info}/RECORD",
        f"{info}/licenses/LICENSE",
    } <= names
    assert wheel.name == f"dagrad-{PROJECT['version']}-py3-none-any.whl"


def test_the_metadata_is_the_project_s(wheel):
    (name,) = (name for name in contents(wheel) if name.endswith("METADATA"))
    metadata = message_from_bytes(contents(wheel)[name])
    assert metadata["Name"] == "dagrad"
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["License-Expression"] == "MIT"
    assert set(metadata.get_all("Provides-Extra")) == set(PROJECT["optional-dependencies"])
    always = [line for line in metadata.get_all("Requires-Dist") if "extra ==" not in line]
    assert sorted(always) == ["graphviz>=0.20", "numpy>=2.0"]
    assert metadata.get_payload().startswith("# dagrad")


def test_the_sdist_is_the_source_tree(sdist, tree):
    with tarfile.open(sdist) as archive:
        names = {member.name.partition("/")[2] for member in archive if member.isfile()}
    generated = {name for name in names if name in ("PKG-INFO", "setup.cfg") or "egg-info/" in name}
    sources = set(FILES) | {
        path.relative_to(tree).as_posix()
        for folder in FOLDERS
        for path in (tree / folder).rglob("*")
        if path.is_file()
    }
    assert names - generated == sources


@pytest.mark.skipif(not shutil.which("git"), reason="needs git")
def test_no_file_under_version_control_is_forgotten():
    run = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if run.returncode != 0 or "pyproject.toml" not in run.stdout:
        pytest.skip("not a checkout that git reads")
    tops = {name.partition("/")[0] for name in run.stdout.split("\0") if name}
    assert tops - {".ci", ".gitignore"} == {*FOLDERS, *FILES}


def test_the_wheel_built_from_the_sdist_is_the_wheel_built_from_the_tree(wheel, sdist, tmp_path):
    again = build("wheel", unpack(sdist, tmp_path / "unpacked"), tmp_path / "out")
    first, second = contents(wheel), contents(again)
    assert again.name == wheel.name
    assert set(first) == set(second)
    assert [name for name in first if first[name] != second[name]] == []


def test_an_unpacked_wheel_works_without_the_tree(wheel, tmp_path):
    place = unpack(wheel, tmp_path / "site")
    code = (
        "import sys\n"
        f"sys.path.insert(0, {str(place)!r})\n"
        "import autograd as ag, nn, optim\n"
        "for module in (ag, nn, optim):\n"
        f"    assert module.__file__.startswith({str(place)!r}), module.__file__\n"
        "x = ag.Tensor(2.0, requires_grad=True)\n"
        "ag.draw_html(x * x).save('steps.html')\n"
    )
    run = subprocess.run(
        [sys.executable, "-I", "-W", "error", "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert run.returncode == 0, run.stderr
    assert "</html>" in (tmp_path / "steps.html").read_text()
