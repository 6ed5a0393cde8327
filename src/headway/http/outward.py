"""Sending to addresses that users name: to public ones alone, and to the very address that was checked.

A name may resolve differently the next time: it is resolved once, and the result is connected to.
"""

import socket
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from time import perf_counter
from typing import Final, NamedTuple, TypeAlias
from urllib.parse import SplitResult, urlsplit

from headway.domain.errors import HeadwayError
from headway.ledger.delivering import Outcome

PATIENCE_S: Final = 10.0
URL_MAX: Final = 2_000
_UNFIT: Final = "the address must be such as https://example.org/hook, in ASCII"
_NOT_PUBLIC: Final = "this address leads into a network that is not public; webhook_networks names your own"
_Address: TypeAlias = IPv4Address | IPv6Address
# Networks of IPv6 that lead to IPv4 addresses, past the checks of those: mapped, NAT64, 6to4, Teredo, compatible.
_DISGUISES: Final = tuple(
    IPv6Network(one)
    for one in ("::ffff:0:0/96", "::/96", "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "fec0::/10")
)


class AddressRefused(HeadwayError):
    """This server does not send to this address."""

    code = "invalid"


class Target(NamedTuple):
    """A URL to send to, and the network addresses that its name resolves to, all of which may be sent to."""

    url: SplitResult
    addresses: list[str]


class Outward:
    """What this server may send to: public addresses by HTTPS, and the networks that the operator named."""

    def __init__(self, networks: str | None) -> None:
        self._networks = [ip_network(one.strip(), strict=False) for one in networks.split(",")] if networks else []

    def look(self, url: str) -> Target:
        """The target of a URL, its name resolved now; AddressRefused, with the reason, if it may not be sent to."""
        parts = _parts(url)
        try:
            found = socket.getaddrinfo(parts.hostname, parts.port or 443, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            raise AddressRefused("the name of this address is not known", field="url") from None
        addresses = list(dict.fromkeys(str(one[4][0]) for one in found))
        if not addresses or not all(map(self._may_be_sent_to, addresses)):
            raise AddressRefused(_NOT_PUBLIC, field="url")
        if parts.scheme != "https" and not all(map(self._is_own, addresses)):
            raise AddressRefused("the address must be https://…", field="url")
        return Target(parts, addresses)

    def send(self, url: str, body: bytes, headers: Mapping[str, str]) -> Outcome:
        """Send to a URL, following no redirect; returns the outcome."""
        from headway.http.bounded import post_at  # noqa: PLC0415  # a library that few servers need, and large

        since = perf_counter()
        status, error = None, None
        try:
            target = self.look(url)
            status = post_at(target.addresses[0], target.url, body, headers, PATIENCE_S).status
        except HeadwayError as refusal:
            error = refusal.detail
        except OSError as failure:
            error = str(failure) or type(failure).__name__
        return Outcome(status, error, round(1000 * (perf_counter() - since)))

    def _may_be_sent_to(self, address: str) -> bool:
        return self._is_own(address) or _is_public(ip_address(address.partition("%")[0]))

    def _is_own(self, address: str) -> bool:
        found = ip_address(address.partition("%")[0])
        return any(found in one for one in self._networks)


def _is_public(address: _Address) -> bool:
    if isinstance(address, IPv6Address) and any(address in one for one in _DISGUISES):
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        is_fit = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is none, or half an address in brackets
        raise AddressRefused(_UNFIT, field="url") from None
    if not is_fit or len(url) > URL_MAX or not url.isascii() or not url.isprintable() or " " in url:
        raise AddressRefused(_UNFIT, field="url")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise AddressRefused("the address must hold neither a password nor a fragment", field="url")
    return parts
