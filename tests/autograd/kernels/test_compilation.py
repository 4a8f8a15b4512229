"""Compiled code that is kept on disk."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import autograd as ag

PROGRAM = """
import numpy as np
import autograd as ag
from autograd.kernels.compiled_updates import descend

with ag.watch_compilation(lambda name: print(name)):
    p = np.ones(3)
    descend(p, np.ones(3), 0.5, 0.0, 1.0)
assert p.tolist() == [0.5, 0.5, 0.5]
"""


@pytest.fixture(autouse=True, scope="module")
def backend() -> None:
    """Compiled kernels only."""


def compiled_again(home: Path) -> bool:
    """Whether a new process compiles a kernel of the package in `home`."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        capture_output=True,
        text=True,
        check=True,
        cwd=home,
        env={**os.environ, "PYTHONPATH": str(home), "NUMBA_CACHE_DIR": str(home / "cache")},
    )
    assert done.stdout in ("descend\nNone\n", "")
    return bool(done.stdout)


def test_it_is_used_until_any_kernels_source_changes(tmp_path: Path) -> None:
    """A kernel has functions of other files built in."""
    pytest.importorskip("numba")
    package = Path(ag.__file__).parent
    shutil.copytree(package, tmp_path / "autograd", ignore=shutil.ignore_patterns("__pycache__"))
    assert compiled_again(tmp_path)
    assert not compiled_again(tmp_path)
    other = tmp_path / "autograd" / "kernels" / "vector_maps.py"
    known = other.stat()
    other.write_text(other.read_text().replace("for Numba.", "for numba."))
    os.utime(other, ns=(known.st_atime_ns, known.st_mtime_ns))
    assert compiled_again(tmp_path)
    assert not compiled_again(tmp_path)


def code_files(folder: Path, sources: str = "sources") -> Any:
    """Numba's files of a function, with the library's way to save."""
    caching = pytest.importorskip("numba.core.caching")
    from autograd.kernels.compilation import save_code

    files = caching.IndexDataCacheFile(str(folder), "function-1.py3", sources)
    files.save = partial(save_code, files)
    return files


def test_processes_that_compile_at_the_same_time_do_not_mix_their_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each has read the index before the other wrote to it."""
    first, second = code_files(tmp_path), code_files(tmp_path)
    second.save("others", "code for others")
    known = first._load_index()
    monkeypatch.setattr(first, "_load_index", lambda: known)
    second.save("float32", "code for float32")
    first.save("float64", "code for float64")
    later = code_files(tmp_path)
    assert later.load("others") == "code for others"
    assert later.load("float64") == "code for float64"
    assert later.load("float32") is None  # forgotten, and compiled again
    later.save("float32", "code for float32")
    assert later.load("float32") == "code for float32"
    assert later.load("float64") == "code for float64"


def test_what_another_process_saves_meanwhile_is_not_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With Numba's own `save`, float32 would be given the code of float64 here."""
    first, second = code_files(tmp_path), code_files(tmp_path)
    write, load = first._save_data, second._load_index

    def write_late(name: str, data: Any) -> None:
        monkeypatch.setattr(second, "_load_index", dict)
        second.save("float32", "code for float32")
        monkeypatch.setattr(second, "_load_index", load)
        write(name, data)

    monkeypatch.setattr(first, "_save_data", write_late)
    first.save("float64", "code for float64")
    later = code_files(tmp_path)
    assert later.load("float32") == "code for float32"
    assert later.load("float64") == "code for float64"


def test_code_of_other_sources_is_not_used_and_removed(tmp_path: Path) -> None:
    code_files(tmp_path, "old").save("float32", "old code")
    files = code_files(tmp_path, "new")
    assert files.load("float32") is None
    files.save("float64", "new code")
    assert files.load("float64") == "new code"
    assert files.load("float32") is None
    assert len(list(tmp_path.glob("*.nbc"))) == 1


def test_code_that_is_gone_is_compiled_again(tmp_path: Path) -> None:
    files = code_files(tmp_path)
    files.save("float32", "code")
    next(tmp_path.glob("*.nbc")).unlink()
    assert files.load("float32") is None
    files.save("float32", "code")
    assert files.load("float32") == "code"


def full_disk(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("part", ["_save_data", "_save_index"])
def test_what_cannot_be_saved_leaves_nothing_behind(
    part: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = code_files(tmp_path)
    files.save("float64", "code for float64")
    before = sorted(tmp_path.iterdir())
    with monkeypatch.context() as patch:
        patch.setattr(files, part, full_disk)
        with pytest.raises(OSError, match="No space left"):
            files.save("float32", "code for float32")
    assert sorted(tmp_path.iterdir()) == before
    assert files.load("float64") == "code for float64"
    assert files.load("float32") is None
    files.save("float32", "code for float32")
    assert files.load("float32") == "code for float32"


@pytest.mark.parametrize("part", ["_save_data", "_save_index", "_load_index"])
def test_a_kernel_computes_although_its_code_cannot_be_saved(
    part: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kernel as the library's, compiled at its first call."""
    pytest.importorskip("numba")
    from autograd.kernels.compilation import compiled

    monkeypatch.setattr("numba.core.config.CACHE_DIR", str(tmp_path))
    kernel: Any = compiled(_three_times)
    files, tried = kernel._cache._cache_file, []
    assert Path(files._cache_path).is_relative_to(tmp_path)

    def failing(*given: object) -> None:
        tried.append(given)
        full_disk()

    load = files.load
    monkeypatch.setattr(files, "load", lambda key: None if part == "_load_index" else load(key))
    monkeypatch.setattr(files, part, failing)
    assert kernel(2.0) == 6.0 and kernel(2) == 6
    assert len(tried) == 2
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def _three_times(x: float) -> float:
    return 3 * x


def test_kernels_keep_their_code_so() -> None:
    pytest.importorskip("numba")
    from autograd.kernels.compilation import save_code
    from autograd.kernels.compiled_updates import descend

    kernel: Any = descend
    assert kernel._cache._cache_file.save.func is save_code
