"""Processes that are killed (-9) at a step of what they do, one step after the other."""

import os
import signal
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from headway.store.database import Database

# What is done in steps: before and behind each call, and of transactions before and behind COMMIT.
Parts = Sequence[tuple[Any, str]]
TRANSACTIONS: Parts = ((Database, "transaction"),)


class Dying:
    """Counts the steps of what is done, and kills the process at one of them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, at: int, parts: Parts) -> None:
        self.left = at
        for whose, name in parts:
            monkeypatch.setattr(whose, name, self.around(getattr(whose, name)))

    def around(self, act: Callable[..., Any]) -> Callable[..., Any]:
        def acted(*given: Any, **named: Any) -> Any:
            self.step()
            made = act(*given, **named)
            if hasattr(made, "__enter__"):
                return _Within(made, self.step)
            self.step()
            return made

        return acted

    def step(self) -> None:
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


class _Within:
    def __init__(self, manager: Any, step: Callable[[], None]) -> None:
        self._manager, self._step = manager, step

    def __enter__(self) -> Any:
        return self._manager.__enter__()

    def __exit__(self, *error: object) -> Any:
        self._step()  # before COMMIT
        ended = self._manager.__exit__(*error)
        self._step()  # behind it
        return ended


def killed_at(at: int, monkeypatch: pytest.MonkeyPatch, act: Callable[[], object], parts: Parts = TRANSACTIONS) -> bool:
    """Do something in a process that is killed at a step of it; whether it was, and not done before.

    What it does opens a database of its own.
    """
    child = os.fork()
    if child == 0:
        try:
            with monkeypatch.context() as patch:
                Dying(patch, at, parts)
                act()
            os._exit(0)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert status in (0, signal.SIGKILL), status
    return status != 0
