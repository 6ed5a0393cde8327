"""Retrying in the background while a program runs: a thread that lives as long as something waits."""

import threading
from collections.abc import Callable


class Background:
    """Calls `try_once` until it returns None; a number that it returns is the seconds to wait before the next call."""

    def __init__(self, try_once: Callable[[], float | None]) -> None:
        self._try_once = try_once
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closing = threading.Event()
        self._is_woken = False

    def wake(self) -> None:
        """Have what waits tried: at once if the thread is not running, otherwise at the thread's next try."""
        with self._lock:
            self._is_woken = True
            if self._closing.is_set() or self._thread is not None:
                return
            # A daemon: a program that ends does not wait for it, and nothing is lost by that.
            self._thread = threading.Thread(target=self._run, name="headway-outbox", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Stop trying, and wait for a try that is under way."""
        with self._lock:
            self._closing.set()
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    def _run(self) -> None:
        wait_s = 0.0
        while not self._closing.wait(wait_s):
            self._is_woken = False
            said = self._try_once()
            with self._lock:
                # What was saved during that try called `wake`, which started no second thread: this one has to send it.
                if said is None and not self._is_woken:
                    self._thread = None
                    return
            wait_s = said or 0.0
