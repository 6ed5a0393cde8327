"""A process that serves stops once, however often a keyboard tells it."""

import signal
from types import FrameType

from headway.http.signals import stop_once


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
