"""Being told to stop: only once, and noticed from the first moment on."""

import signal
import threading
from types import FrameType
from typing import Final

# Set once the process is told to stop, even while it starts: uvicorn looks only after that.
told_to_stop: Final = threading.Event()


def stop_once() -> None:
    """Ignore Ctrl-C after the first one, once uvicorn handles the signals of a process: it is stopping already."""
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
    # uvicorn has handled signals for seconds, while the application was loaded, and may have been told already.
    if getattr(getattr(stop, "__self__", None), "should_exit", False):
        told_to_stop.set()
