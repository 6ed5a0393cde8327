"""A door in front of a server: an address that stays while servers come and go, and that can lose an answer."""

import contextlib
import socket
import threading
from types import TracebackType
from typing import Self

from tests.torture.server import Server


class Door:
    """Listens on a port of this machine and passes everything to the server, wherever that listens just now."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.lost = threading.Event()
        self.is_captive = False
        self._losing: bytes | None = None
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        self._thread = threading.Thread(target=self._accept, daemon=True)

    @property
    def url(self) -> str:
        """The address that browsers are given."""
        return f"http://127.0.0.1:{self._listening.getsockname()[1]}"

    def lose_the_answer_to(self, path: str) -> None:
        """Kill the server in the moment in which it answers the next write to a path, and give nobody the answer."""
        self.lost.clear()
        self._losing = f"POST {path}".encode()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                threading.Thread(target=self._pass_on, args=(client,), daemon=True).start()

    def _pass_on(self, client: socket.socket) -> None:
        if self.is_captive:
            # A browser opens connections before it needs them: what was captured must not answer later.
            self._open.add(client)
            _ask_for_a_room_number(client)
            self._open.discard(client)
            return
        try:
            server = socket.create_connection(("127.0.0.1", self.server.port))
        except OSError:
            client.close()
            return
        self._open |= {client, server}
        losing = threading.Event()
        up = threading.Thread(target=self._up, args=(client, server, losing), daemon=True)
        up.start()
        self._down(server, client, losing)
        up.join(5)
        for one in (client, server):
            self._open.discard(one)
            one.close()

    def _up(self, client: socket.socket, server: socket.socket, losing: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := client.recv(65_536):
                if self._losing is not None and self._losing in data:
                    self._losing = None
                    losing.set()
                server.sendall(data)
        _shut(server)

    def _down(self, server: socket.socket, client: socket.socket, losing: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(65_536):
                if losing.is_set():
                    self.server.kill()
                    self.lost.set()
                    break
                client.sendall(data)
        _shut(client)

    def capture(self, is_captive: bool) -> None:
        """Let a page of somebody else's answer everything from now on, or no more."""
        self.is_captive = is_captive
        for one in list(self._open):
            _shut(one)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        _shut(self._listening)
        self._listening.close()
        for one in list(self._open):
            _shut(one)
        self._thread.join(5)


def _ask_for_a_room_number(client: socket.socket) -> None:
    """Answer whatever is asked as the network of a hotel does."""
    page = b"<!doctype html><title>Welcome</title><form>Your room number <input></form>"
    with contextlib.suppress(OSError):
        client.recv(65_536)
        head = b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\nconnection: close\r\ncontent-length: %d\r\n\r\n"
        client.sendall(head % len(page) + page)
    _shut(client)
    client.close()


def _shut(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
