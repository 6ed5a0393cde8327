"""Checks whether a Redis can be reached, by a few commands of its protocol on a connection of its own."""

import socket
import ssl
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

_PATIENCE_S: Final = 1.0
_PORT: Final = 6379
_REPLY_MAX: Final = 512


def fault_of_redis(address: str) -> str | None:
    """What is wrong with the Redis at this address; None if it answers, and accepts the password if there is one."""
    try:
        parts = urlsplit(address)
        with _connected(parts) as connection, connection.makefile("rb") as replies:
            if parts.password is not None:
                names = [unquote(one) for one in (parts.username, parts.password) if one]
                connection.sendall(_command("AUTH", *names))
                if not (reply := replies.readline(_REPLY_MAX)).startswith(b"+OK"):
                    return _said(reply)
            connection.sendall(_command("PING"))
            reply = replies.readline(_REPLY_MAX)
            return None if reply.startswith(b"+PONG") else _said(reply)
    except (OSError, ValueError) as error:
        return str(error) or type(error).__name__


def _connected(parts: SplitResult) -> socket.socket:
    if parts.scheme not in ("redis", "rediss") or not parts.hostname:
        raise ValueError("the address must be redis://HOST:PORT/NUMBER, or rediss:// for TLS")
    connection = socket.create_connection((parts.hostname, parts.port or _PORT), timeout=_PATIENCE_S)
    if parts.scheme == "redis":
        return connection
    try:
        return ssl.create_default_context().wrap_socket(connection, server_hostname=parts.hostname)
    except BaseException:
        connection.close()
        raise


def _command(*words: str) -> bytes:
    parts = [word.encode() for word in words]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(one), one) for one in parts)


def _said(reply: bytes) -> str:
    """Redis' own words; of a wrong password they do not repeat it."""
    return reply.decode(errors="replace").strip("-+\r\n ") or "it said nothing"
