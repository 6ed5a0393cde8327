"""The front page: what this is, how it stands, and where to go on. Until there is a web app it is all there is."""

from asyncio import Lock
from time import monotonic
from typing import Final
from weakref import WeakKeyDictionary

from litestar import get
from sqlalchemy.engine import Connection

from headway.http import who
from headway.http.exchange import Asked, exchange_of
from headway.http.front_page import POLICY, page
from headway.http.reply import Header, Reply
from headway.http.services import Services
from headway.views.front import front

KEPT_S: Final = 2.0
# Anybody may ask for the page, so working it out takes a hundredth of the time at most, however large the database.
_SHARE: Final = 100
_HEADERS: Final[tuple[Header, ...]] = (
    (b"content-security-policy", POLICY.encode("ascii")),
    (b"cache-control", b"no-cache"),
)


class _Kept:
    """The page as it was a moment ago, and how long that is good enough."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._body = b""
        self._good_until = 0.0
        self._working = Lock()

    async def body(self) -> bytes:
        """The page; while somebody works out a new one, the others get the old one."""
        if monotonic() < self._good_until or (self._body and self._working.locked()):
            return self._body
        async with self._working:
            if monotonic() >= self._good_until:
                began = monotonic()
                self._body = await self._services.read(self._page)
                self._good_until = monotonic() + max(KEPT_S, _SHARE * (monotonic() - began))
        return self._body

    def _page(self, connection: Connection) -> bytes:
        services = self._services
        named, rules = services.settings.demo, services.streak_rules
        shown = front(connection, services.catalog, now=who.now(), named=named, rules=rules)
        name = "SQLite" if connection.dialect.name == "sqlite" else "PostgreSQL"
        version = getattr(connection.dialect, "server_version_info", None) or ()
        return page(shown, f"{name} {'.'.join(map(str, version))}".strip()).encode()


_kept: Final[WeakKeyDictionary[Services, _Kept]] = WeakKeyDictionary()


@get("/", include_in_schema=False)
async def front_page(request: Asked) -> Reply:
    """The page."""
    services = exchange_of(request).services
    kept = _kept.get(services) or _kept.setdefault(services, _Kept(services))
    return Reply(await kept.body(), 200, _HEADERS, b"text/html; charset=utf-8")


handlers: Final = [front_page]
