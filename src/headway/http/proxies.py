"""Which proxies are believed about where a request comes from: those that the operator names, and no others."""

from ipaddress import ip_network
from typing import Any

from headway.settings import Settings


def proxy_options(settings: Settings) -> dict[str, Any]:
    """The options of uvicorn for proxies: by default it would believe whoever connects from the same machine."""
    if settings.trusted_proxies is None:
        return {"proxy_headers": False}
    # In canonical form: uvicorn takes 10.1.2.3/8 for a host's name.
    networks = [str(ip_network(one.strip(), strict=False)) for one in settings.trusted_proxies.split(",")]
    return {"proxy_headers": True, "forwarded_allow_ips": networks}
