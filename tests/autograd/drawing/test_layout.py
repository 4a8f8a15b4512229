"""Rendering with Graphviz, with the libraries in a wheel, without either, and when it fails."""

from __future__ import annotations

import os
import shutil
import sys

import pytest

import autograd as ag
from autograd.drawing import layout
from tests.autograd.drawing import graphs

needs_dot = pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")


@pytest.fixture
def fake_dot(tmp_path, monkeypatch):
    """Puts a program called dot, with the given shell script, first on the PATH."""

    def make(script):
        program = tmp_path / "bin" / "dot"
        program.parent.mkdir(exist_ok=True)
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")

    return make


def drawing():
    return ag.draw(graphs.waves()[2])


@needs_dot
def test_formats(tmp_path):
    picture = drawing()
    starts = {"svg": b"<?xml", "png": b"\x89PNG", "pdf": b"%PDF"}
    for suffix, start in starts.items():
        path = picture.save(tmp_path / f"graph.{suffix}")
        with open(path, "rb") as stream:
            assert stream.read(len(start)) == start
    assert picture.render("again", tmp_path, format="png") == str(tmp_path / "again.png")
    assert picture.pipe("svg", encoding="utf-8") == picture.pipe().decode()
    (tmp_path / "copied.gv").write_text(picture.source)
    assert picture.save(tmp_path / "graph.gv") == str(tmp_path / "graph.gv")
    assert (tmp_path / "graph.gv").read_bytes() == (tmp_path / "copied.gv").read_bytes()


@needs_dot
def test_the_format_and_the_engine_that_were_set():
    picture = drawing()
    picture.format = "png"
    assert picture.pipe().startswith(b"\x89PNG")
    by_layers = picture.pipe("svg")
    picture.engine = "neato"
    assert picture.pipe("svg") != by_layers
    copied = picture.copy()
    assert copied.pipe("svg") == picture.pipe("svg")


@needs_dot
def test_view_opens_what_it_wrote(tmp_path, monkeypatch):
    opened = []
    monkeypatch.setattr("autograd.drawing.drawings.graphviz.view", opened.append)
    drawing().view("graph", directory=tmp_path)
    assert opened == [str(tmp_path / "graph.svg")]
    assert [path.name for path in tmp_path.iterdir()] == ["graph.svg"]


def test_a_crash_shows_what_graphviz_said(fake_dot, tmp_path):
    fake_dot("echo 'Error: lost in edges' >&2; kill -SEGV $$")
    with pytest.raises(ag.RenderingError, match=r"signal 11: Error: lost in edges"):
        drawing().save(tmp_path / "graph.svg")
    fake_dot("echo 'syntax error' >&2; exit 3")
    with pytest.raises(ag.RenderingError, match=r"status 3: syntax error"):
        drawing().pipe("png")
    fake_dot("exit 0")
    with pytest.raises(ag.RenderingError, match="made no picture"):
        drawing().pipe("png")
    assert [path.name for path in tmp_path.iterdir()] == ["bin"]


def test_a_hang_ends(fake_dot):
    fake_dot("exec sleep 60")
    with pytest.raises(ag.RenderingError, match=r"0.2 s without an end"):
        layout.render("digraph {}", "svg", seconds=0.2)


def test_without_graphviz_the_error_names_both_ways_and_has_the_tree(monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(layout.importlib.util, "find_spec", lambda name: None)
    picture = drawing()
    with pytest.raises(ag.RenderingError) as caught:
        picture.pipe("svg")
    message = str(caught.value)
    for part in ("apt-get install", "dagrad[draw]", "n5 add", "├─ 0: n3 sin"):
        assert part in message
    assert set(picture._repr_mimebundle_()) == {"text/plain"}


def test_the_wheel_is_used_when_there_is_no_program(monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(layout.importlib.util, "find_spec", lambda name: object())
    command = layout._command("svg", "dot")
    assert command is not None
    assert command[0] == sys.executable
    assert command[-2:] == ["svg", "dot"]


def test_the_libraries_in_the_wheel(monkeypatch):
    pytest.importorskip("pygraphviz")
    monkeypatch.setenv("PATH", "")
    assert b"<svg" in drawing().pipe("svg")
    with pytest.raises(ag.RenderingError, match="pygraphviz failed"):
        layout.render("digraph {", "svg")


@pytest.mark.parametrize(
    ("name", "error", "match"),
    [
        ("graph.bmp3", ValueError, "bmp3.*svg"),
        ("missing/graph.gv", FileNotFoundError, "cannot write a picture to"),
        ("folder.gv", IsADirectoryError, "folder"),
        ("file.gv/graph.html", NotADirectoryError, "cannot write"),
    ],
)
def test_paths_that_cannot_be_written(tmp_path, name, error, match):
    (tmp_path / "folder.gv").mkdir()
    (tmp_path / "file.gv").write_text("as it was")
    with pytest.raises(error, match=match):
        drawing().save(tmp_path / name)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file.gv", "folder.gv"]
    assert (tmp_path / "file.gv").read_text() == "as it was"


def test_a_file_is_replaced_as_a_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "graph.gv"
    path.write_text("as it was")

    def failing(source, target):
        assert path.read_text() == "as it was"
        raise OSError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr("autograd.drawing.files.os.replace", failing)
        with pytest.raises(OSError, match="disk is full"):
            drawing().save(path)
    assert path.read_text() == "as it was"
    assert [item.name for item in tmp_path.iterdir()] == ["graph.gv"]
    drawing().save(path)
    assert path.read_text() == drawing().source
