"""Rate limits of requests: whom they are counted for, and the headers that tell of them (the IETF's RateLimit)."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from headway.http import who
from headway.http.exchange import Exchange
from headway.http.reply import Header
from headway.ledger import throttles
from headway.ledger.throttles import Left, Limit, RateLimited, Throttle

# Whoever has one IPv6 address has a whole network of them.
_IPV6_PREFIX: Final = 64
# Except addresses that embed one of IPv4: mapped ones, and those of a NAT64 (RFC 6052).
_OF_IPV4: Final = (IPv6Network("::ffff:0:0/96"), IPv6Network("64:ff9b::/96"))


def by_address(exchange: Exchange, limit: Limit, account: str = "") -> Throttle:
    """A limit for the network address of a request, or for an account together with that address."""
    return Throttle(limit, (_network(exchange.address),), account)


async def throttle(exchange: Exchange, *wanted: Throttle) -> None:
    """Count a try for each limit; RateLimited if one is used up. Either way, the reply tells what is left."""
    services = exchange.services
    if not services.settings.rate_limits:
        return
    try:
        left = await services.run(lambda: throttles.take(services.database, wanted, now=who.now()))
    except RateLimited as refusal:
        exchange.more_headers += rate_limit_headers(refusal.left)
        raise
    exchange.more_headers += rate_limit_headers(left)


async def not_counted(
    exchange: Exchange, *, clear: Sequence[Throttle] = (), give_back: Sequence[Throttle] = ()
) -> None:
    """Note that a try went well: forget all tries of the limits in `clear`, and this one of those in `give_back`."""
    services = exchange.services
    if services.settings.rate_limits:
        await services.run(lambda: throttles.succeeded(services.database, clear=clear, give_back=give_back))


def rate_limit_headers(left: Sequence[Left]) -> tuple[Header, ...]:
    """The headers that name the limits and what is left of them."""
    policy = ", ".join(f'"{one.limit.name}";q={one.limit.quota};w={one.limit.window_s}' for one in left)
    state = ", ".join(f'"{one.limit.name}";r={one.remaining};t={one.resets_s}' for one in left)
    return ((b"ratelimit-policy", policy.encode("ascii")), (b"ratelimit", state.encode("ascii")))


def _network(address: str | None) -> str:
    try:
        found = ip_address(_bare(address or ""))
    except ValueError:
        return "unknown"
    if isinstance(found, IPv6Address):
        if any(found in network for network in _OF_IPV4):
            return str(IPv4Address(found.packed[-4:]))
        return str(ip_network((found, _IPV6_PREFIX), strict=False))
    return str(found)


def _bare(address: str) -> str:
    """An address without the port, the brackets and the zone that proxies write with it."""
    if address.startswith("["):
        address = address[1:].partition("]")[0]
    elif address.count(":") == 1:
        address = address.partition(":")[0]
    return address.partition("%")[0]
