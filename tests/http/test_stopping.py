"""A process that serves stops once, however often a keyboard tells it."""

import signal
from collections.abc import Iterator
from types import FrameType

import pytest
import uvicorn

from headway.http.signals import stop_once, told_to_stop


@pytest.fixture(autouse=True)
def _told_nothing() -> Iterator[None]:
    told_to_stop.clear()
    yield
    told_to_stop.clear()


def test_a_second_signal_of_a_keyboard_breaks_nothing_off() -> None:
    told = list[int]()

    def stop(number: int, _: FrameType | None) -> None:
        told.append(number)

    before, on_term = signal.signal(signal.SIGINT, stop), signal.getsignal(signal.SIGTERM)
    try:
        stop_once()
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)
        signal.signal(signal.SIGTERM, on_term)
    assert told == [signal.SIGINT]


def test_who_was_told_while_the_application_was_loaded_knows_of_it() -> None:
    server = uvicorn.Server(uvicorn.Config("headway.http.app:from_environment"))
    before = {number: signal.signal(number, server.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        stop_once()
        assert not told_to_stop.is_set()
        for number in before:
            signal.signal(number, server.handle_exit)
        signal.raise_signal(signal.SIGTERM)
        assert not told_to_stop.is_set()
        stop_once()
        assert told_to_stop.is_set()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
