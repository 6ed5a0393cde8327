"""Programs of node that tests run against: installed from their lock, or the test is skipped."""

import fcntl
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest


def tool(name: str) -> str:
    """Where node or npm is: beside the interpreter, or on the path."""
    beside = Path(sys.executable).with_name(name)
    return str(beside) if beside.exists() else shutil.which(name) or name


def installed(folder: Path, what: str) -> None:
    """Install a folder's packages, once for all workers; the test is skipped where npm cannot."""
    lock = (folder / "package-lock.json").read_bytes()
    stamp = folder / "node_modules" / f".{sha256(lock).hexdigest()}"
    with (folder / ".npmrc").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if stamp.exists():
            return
        command = [tool("npm"), "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--fetch-retries=1"]
        try:
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=100, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            pytest.skip(f"npm cannot install {what}: {error}")
        if done.returncode:
            said = next((line for line in done.stderr.splitlines() if "error" in line), "it does not say why")
            pytest.skip(f"npm cannot install {what}: {said}")
        stamp.touch()
