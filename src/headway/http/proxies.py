"""Whose word is believed on where a request comes from: that of the proxies which the operator names, and nobody's."""

from ipaddress import ip_network
from typing import Any

from headway.settings import Settings


def proxy_options(settings: Settings) -> dict[str, Any]:
    """What uvicorn is told: by default it would believe whoever connects from the same machine."""
    if settings.trusted_proxies is None:
        return {"proxy_headers": False}
    # Networks as they are written by the book: uvicorn takes 10.1.2.3/8 for a name.
    networks = [str(ip_network(one.strip(), strict=False)) for one in settings.trusted_proxies.split(",")]
    return {"proxy_headers": True, "forwarded_allow_ips": networks}
