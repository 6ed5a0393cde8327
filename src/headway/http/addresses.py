"""The server's own address, as a client reaches it."""

import re
from typing import Final

from headway.http.exchange import Exchange
from headway.http.refusals import Malformed

_HOST: Final = re.compile(rb"[A-Za-z0-9._-]{1,255}(?::\d{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](?::\d{1,5})?")


def site_address(exchange: Exchange) -> str:
    """The address that the operator named, else the one that the request was sent to, without a trailing slash."""
    settings = exchange.services.settings
    if settings.public_url:
        return settings.public_url.rstrip("/")
    host = exchange.headers.get(b"host", b"")
    if not _HOST.fullmatch(host):
        raise Malformed("the header Host does not name this server")
    secure = exchange.scheme == "https" or settings.https
    return f"{'https' if secure else 'http'}://{host.decode('ascii')}"
