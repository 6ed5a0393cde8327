"""Programs that may write only where the files say so, whoever runs the tests."""

import subprocess
import sys

import pytest

from tests.torture.server import environment

# Root may read and write everywhere: what it starts without CAP_DAC_OVERRIDE (1) and CAP_DAC_READ_SEARCH (2) may not.
PR_CAPBSET_DROP = 24
CONFINED = f"""
import ctypes, os, sys
if os.geteuid() == 0 and any(ctypes.CDLL(None).prctl({PR_CAPBSET_DROP}, one, 0, 0, 0) for one in (1, 2)):
    sys.exit(77)
os.execv(sys.argv[1], sys.argv[1:])
"""


def run_confined(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a program as somebody whom the rights of files bind."""
    done = subprocess.run(
        [sys.executable, "-c", CONFINED, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env=environment() | more,
        check=False,
    )
    if done.returncode == 77:
        pytest.skip("root may write everywhere here, and cannot lay that down")
    return done
