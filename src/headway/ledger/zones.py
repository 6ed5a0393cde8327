"""The zone that decides a learner's days on this machine."""

from functools import lru_cache

import structlog

from headway.domain.errors import Invalid
from headway.domain.times import zone

log = structlog.get_logger()


@lru_cache(maxsize=1024)
def zone_here(name: str) -> str:
    """Return the zone's name, or UTC if this machine does not know it, which is logged once.

    The entry then names UTC as the zone of its day, so that an audit finds the same day on any machine.
    """
    try:
        zone(name)
    except Invalid:
        log.warning("time_zone_unknown", time_zone=name, counted_as="UTC")
        return "UTC"
    return name
