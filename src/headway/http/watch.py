"""Cutting connections whose time is over, from another thread.

A time limit of a socket begins anew with each byte: a server that sends one now and then holds a thread up for good.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from socket import SHUT_RDWR, socket


class Watch:
    """The connections of one exchange, to be cut when its time is over; what comes later is cut at once."""

    def __init__(self) -> None:
        self.is_over = False
        self._lock = threading.Lock()
        self._sockets: list[socket] = []

    def add(self, connected: socket) -> None:
        """Watch a connection."""
        with self._lock:
            # Another name for the same connection: the first one is taken over by what encrypts.
            self._sockets.append(connected.dup())
        if self.is_over:
            self.cut()

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """What is done within is over after so long: then all is cut."""
        timer = threading.Timer(seconds, self.cut)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def cut(self) -> None:
        """End all connections: whoever reads from one finds it closed."""
        self.is_over = True
        with self._lock:
            for one in self._sockets:
                with suppress(OSError):  # closed from there already
                    one.shutdown(SHUT_RDWR)

    def close(self) -> None:
        """Watch nothing any more."""
        with self._lock:
            while self._sockets:
                self._sockets.pop().close()
