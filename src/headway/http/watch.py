"""Cutting connections whose time is over, from another thread.

A time limit of a socket begins anew with each byte: a server that sends one now and then would hold a thread up for
good.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from socket import SHUT_RDWR, socket


class Watch:
    """The connections of one exchange, which are cut when its time is over; one that is added later is cut at once."""

    def __init__(self) -> None:
        self.is_over = False
        self._lock = threading.Lock()
        self._sockets: list[socket] = []

    def add(self, connected: socket) -> None:
        """Watch a connection."""
        with self._lock:
            # A duplicate: the TLS layer takes the socket itself over.
            self._sockets.append(connected.dup())
        if self.is_over:
            self.cut()

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Cut all connections if the context lasts longer than this, in seconds."""
        timer = threading.Timer(seconds, self.cut)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def cut(self) -> None:
        """Cut all connections: whoever reads from one finds it closed."""
        self.is_over = True
        with self._lock:
            for one in self._sockets:
                with suppress(OSError):  # closed from there already
                    one.shutdown(SHUT_RDWR)

    def close(self) -> None:
        """Watch no connection any more."""
        with self._lock:
            while self._sockets:
                self._sockets.pop().close()
