"""Virtual environments of the interpreters on this machine, for the tests marked `packaging`."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

USABLE = "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2])"


def find_interpreter(version: str) -> str | None:
    """A Python of that version that works: on the PATH, or one that pyenv built."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    candidates = [shutil.which(f"python{version}")]
    candidates += map(str, sorted(pyenv.glob(f"versions/{version}*/bin/python{version}")))
    for candidate in candidates:
        if candidate is None:
            continue
        run = subprocess.run([candidate, "-c", USABLE], capture_output=True, text=True)
        if run.returncode == 0 and run.stdout.strip() == version:
            return candidate
    return None


class Environment:
    """A virtual environment and the commands run in it."""

    def __init__(self, interpreter: str, folder: Path) -> None:
        self.folder = folder
        self.python = folder / "bin" / "python"
        subprocess.run([interpreter, "-m", "venv", str(folder)], check=True, timeout=300)

    def run(self, *arguments: str, cwd: Path | None = None, timeout: float = 600) -> str:
        """`python ARGUMENTS`, which must succeed; gives what it printed."""
        run = self.attempt(*arguments, cwd=cwd, timeout=timeout)
        assert run.returncode == 0, f"{arguments}\n{run.stdout[-4000:]}\n{run.stderr[-4000:]}"
        return run.stdout

    def attempt(
        self, *arguments: str, cwd: Path | None = None, timeout: float = 600
    ) -> subprocess.CompletedProcess[str]:
        """`python ARGUMENTS`, which may fail."""
        # Nothing of the caller's may be imported in here.
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "PYTEST"))}
        return subprocess.run(
            [str(self.python), *arguments],
            cwd=self.folder if cwd is None else cwd,
            env=clean,
            capture_output=True,
            text=True,
            timeout=timeout,
        )

    def install(self, *requirements: str | Path) -> None:
        """`pip install`, wheels only: nothing is compiled."""
        self.run(
            *("-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
            *("--prefer-binary", "--only-binary", ":all:", *map(str, requirements)),
        )
