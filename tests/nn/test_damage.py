"""Damaged checkpoints, full disks and read-only folders: an error, and the older file."""

from __future__ import annotations

import contextlib
import errno
import os
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import nn
from nn import safetensors_format
from tests.nn.damage import make_run, outcomes

ROOT = Path(__file__).parents[2]


def test_damage_anywhere_is_named_and_the_previous_checkpoint_loads(tmp_path):
    found = outcomes(tmp_path, bits=1, stride=5)
    assert sum(found.values()) > 1000
    assert {outcome for _, _, outcome in found} == {"named"}


def test_a_folder_without_an_intact_checkpoint_says_so(tmp_path):
    for step in (1, 2):
        nn.save(tmp_path, nn.Linear(1, 1), step=step, keep=2).write_bytes(b"")
    with pytest.raises(nn.CheckpointError, match=r"(?s)no checkpoint.*000002.*000001"):
        nn.load(tmp_path)


@contextlib.contextmanager
def largest_file(size):
    """The system itself refuses to write beyond `size` bytes, in the middle of a write."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
@pytest.mark.parametrize("name", ["a.safetensors", "a.npz"])
def test_a_write_that_the_system_stops_leaves_the_old_file(tmp_path, share, name):
    net, _ = make_run()
    path = nn.save(tmp_path / name, net)
    old = path.read_bytes()
    with largest_file(int(share * len(old))), pytest.raises(OSError, match="unchanged") as caught:
        nn.save(path, make_run(seed=1)[0])
    assert caught.value.errno == errno.EFBIG
    assert caught.value.filename == str(path)
    assert path.read_bytes() == old
    assert os.listdir(tmp_path) == [name]


@pytest.mark.parametrize("function", ["fsync", "replace"])
def test_a_full_disk_at_the_last_moment_leaves_the_old_checkpoints(tmp_path, monkeypatch, function):
    net, optimizer = make_run()
    for step in (1, 2):
        nn.save(tmp_path, net, optimizer, step=step, keep=2)
    names = sorted(os.listdir(tmp_path))

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, function, full)
        with pytest.raises(OSError, match="No space left on device; nothing was saved") as caught:
            nn.save(tmp_path, net, optimizer, step=3, keep=2)
    assert caught.value.errno == errno.ENOSPC
    assert sorted(os.listdir(tmp_path)) == names
    assert nn.load(tmp_path).step == 2


def test_a_folder_that_cannot_be_written_is_named(tmp_path, monkeypatch):
    path = nn.save(tmp_path / "a.safetensors", nn.Linear(1, 1))
    old = path.read_bytes()
    tmp_path.chmod(0o500)
    if os.access(tmp_path, os.W_OK):  # root may write anywhere

        def refused(*_args, **_kwargs):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))

        monkeypatch.setattr("builtins.open", refused)
    try:
        with pytest.raises(OSError, match=r"unchanged: .*a\.safetensors"):
            nn.save(path, nn.Linear(1, 1))
    finally:
        monkeypatch.undo()
        tmp_path.chmod(0o700)
    assert path.read_bytes() == old
    assert os.listdir(tmp_path) == ["a.safetensors"]


def test_the_bytes_are_on_the_disk_before_the_name_changes(tmp_path, monkeypatch):
    done = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(
        os, "fsync", lambda d: (done.append(os.readlink(f"/proc/self/fd/{d}")), fsync(d))
    )
    monkeypatch.setattr(os, "replace", lambda a, b: (done.append("replace"), replace(a, b)))
    nn.save(tmp_path / "a.safetensors", nn.Linear(1, 1))
    assert done[0].endswith(".part")
    assert done[1:] == ["replace", str(tmp_path)]


def test_a_link_is_followed(tmp_path):
    path = nn.save(tmp_path / "a.safetensors", nn.Linear(1, 1))
    (tmp_path / "latest").symlink_to(path)
    nn.save(tmp_path / "latest", {"x": np.ones(1)})
    assert (tmp_path / "latest").is_symlink()
    assert list(nn.load(path)) == ["x"]


def test_a_killed_writer_leaves_the_old_file(tmp_path):
    path = nn.save(tmp_path / "a.safetensors", {"x": np.zeros(3)})
    code = (
        "import os, signal, sys, numpy as np, nn\n"
        "os.fsync = lambda descriptor: os.kill(os.getpid(), signal.SIGKILL)\n"
        "nn.save(sys.argv[1], {'x': np.ones(3)})\n"
    )
    run = subprocess.run([sys.executable, "-c", code, str(path)], cwd=ROOT, timeout=120)
    assert run.returncode == -9
    assert nn.load(path)["x"].tolist() == [0, 0, 0]
    assert len(os.listdir(tmp_path)) == 2


@pytest.mark.parametrize("seed", range(3))
def test_random_bytes_are_never_more_than_an_error(tmp_path, seed):
    rng = np.random.default_rng(seed)
    path = tmp_path / "noise.safetensors"
    for size in range(0, 400, 7):
        length = int(rng.integers(0, size + 1))
        path.write_bytes(length.to_bytes(8, "little") + b"{" + rng.bytes(size))
        with pytest.raises(nn.CheckpointError, match="noise"):
            safetensors_format.read(path)


def test_a_pipe_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(nn.CheckpointError, match="no regular file"):
        nn.load(tmp_path / "pipe")
