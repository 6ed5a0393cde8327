"""A way to PostgreSQL that can be cut in the moment of COMMIT: it reads what passes, and closes the connection."""

import contextlib
import enum
import socket
import threading
from collections.abc import Iterator
from types import TracebackType
from typing import Self

HELD_MAX_S = 20.0
_LENGTH = 4
_QUERY, _PARSE, _BIND, _EXECUTE = b"Q", b"P", b"B", b"E"


class Cut(enum.Enum):
    """Where the connection is cut."""

    BEFORE = "COMMIT never reaches the database"
    AFTER = "the database has committed, its answer is lost"
    DURING = "COMMIT is on its way when the connection goes"


class Proxy:
    """Listens on a port of this machine and passes everything to the database's socket, until it is armed."""

    def __init__(self, socket_path: str) -> None:
        self.socket_path = socket_path
        self.cuts = 0
        self.reached = threading.Event()
        self._armed: tuple[Cut, bytes, bool] | None = None
        self._until = threading.Event()
        self._lock = threading.Lock()
        self._links: set[_Link] = set()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def url(self, database: str) -> str:
        """The address of a database through here."""
        port = self._listening.getsockname()[1]
        return f"postgresql://postgres@127.0.0.1:{port}/{database}?sslmode=disable&gssencmode=disable"

    def arm(
        self, cut: Cut, *, table: str = "ledger", with_all: bool = False, until: threading.Event | None = None
    ) -> None:
        """Cut the next COMMIT of a transaction that adds to the table; with_all, every other connection goes too.

        With `until` COMMIT is kept here, and `reached` tells so, until that event happens; only then comes the cut.
        """
        with self._lock:
            self.reached.clear()
            self._until = until or _at_once()
            self._armed = cut, f"INSERT INTO {table} (".encode(), with_all

    @property
    def is_armed(self) -> bool:
        """Whether the cut is still to come."""
        return self._armed is not None

    def wants(self, seen: bytes) -> Cut | None:
        """Whether, and how, to cut a transaction that is about to commit these statements; asked once."""
        with self._lock:
            if self._armed is None or self._armed[1] not in seen:
                return None
            cut, _, with_all = self._armed
            self._armed = None
            self.cuts += 1
        self.reached.set()
        self._until.wait(HELD_MAX_S)
        if with_all:
            self.cut_all()
        return cut

    def cut_all(self) -> None:
        """Close every connection that passes through here, as a database does that restarts."""
        for link in list(self._links):
            link.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(self.socket_path)
                self._links.add(_Link(self, client, server))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(5)
        self.cut_all()
        for link in list(self._links):
            link.join()


def _at_once() -> threading.Event:
    event = threading.Event()
    event.set()
    return event


class _Link:
    """One connection: a thread each way."""

    def __init__(self, proxy: Proxy, client: socket.socket, server: socket.socket) -> None:
        self.proxy, self.client, self.server = proxy, client, server
        self.swallow = False
        self.transaction = _Transaction()
        self.threads = [threading.Thread(target=one, daemon=True) for one in (self._up, self._down)]
        for one in self.threads:
            one.start()

    def close(self) -> None:
        for one in (self.client, self.server):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def join(self) -> None:
        """Wait for both threads and give the sockets back."""
        for one in self.threads:
            one.join(5)
        self.client.close()
        self.server.close()

    def _up(self) -> None:
        with contextlib.suppress(OSError):
            for message in _messages(self.client):
                statement = self.transaction.read(message)
                cut = self.proxy.wants(self.transaction.seen) if statement == b"COMMIT" else None
                if cut is Cut.BEFORE:
                    break
                self.swallow = self.swallow or cut is Cut.AFTER
                self.server.sendall(message)
                if cut is Cut.DURING:
                    self.server.sendall(b"S\0\0\0\4")  # Sync: without it the database would not begin
                    break
        self.close()

    def _down(self) -> None:
        with contextlib.suppress(OSError):
            while (data := self.server.recv(65_536)) and not (self.swallow and b"COMMIT\0" in data):
                self.client.sendall(data)
        self.close()


class _Transaction:
    """What a connection's messages say, prepared statements looked up by their names."""

    def __init__(self) -> None:
        self.seen = b""
        self._prepared: dict[bytes, bytes] = {}
        self._bound: dict[bytes, bytes] = {}

    def read(self, message: bytes) -> bytes:
        """The statement that a message runs, if it runs one; `seen` is what ran since BEGIN."""
        kind, parts = message[:1], message[1 + _LENGTH :].split(b"\0", 2)
        if kind == _PARSE:
            self._prepared[parts[0]] = parts[1]
        elif kind == _BIND:
            self._bound[parts[0]] = self._prepared.get(parts[1], b"")
        if kind not in (_QUERY, _EXECUTE):
            return b""
        statement = parts[0] if kind == _QUERY else self._bound.get(parts[0], b"")
        self.seen = statement if statement.startswith(b"BEGIN") else self.seen + statement
        return statement


def _messages(source: socket.socket) -> Iterator[bytes]:
    """The messages of a client, whole; the first, which opens the connection, has no letter in front."""
    held, head = b"", 0
    while data := source.recv(65_536):
        held += data
        while len(held) >= head + _LENGTH:
            size = head + int.from_bytes(held[head : head + _LENGTH])
            if len(held) < size:
                break
            yield held[:size]
            held, head = held[size:], 1
