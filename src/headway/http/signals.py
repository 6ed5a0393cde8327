"""Being told to stop: once, and known from the first moment on."""

import signal
import threading
from types import FrameType
from typing import Final

# Set once the process is told to stop, also while it starts: uvicorn looks only behind that.
told_to_stop: Final = threading.Event()


def stop_once() -> None:
    """Have a second Ctrl-C break off nothing, where uvicorn has taken the signals of a process: it ends soon."""
    for number in (signal.SIGINT, signal.SIGTERM):
        _listen_once(number)


def _listen_once(number: signal.Signals) -> None:
    stop = signal.getsignal(number)
    if threading.current_thread() is not threading.main_thread() or not callable(stop):
        return

    def handle(told: int, frame: FrameType | None) -> None:
        if number == signal.SIGINT:
            signal.signal(number, signal.SIG_IGN)
        told_to_stop.set()
        stop(told, frame)

    signal.signal(number, handle)
    # uvicorn has listened for seconds, while the application was loaded, and may have been told.
    if getattr(getattr(stop, "__self__", None), "should_exit", False):
        told_to_stop.set()
