"""The zone that decides a learner's days on this machine."""

from functools import lru_cache

import structlog

from headway.domain.errors import Invalid
from headway.domain.times import zone

log = structlog.get_logger()


@lru_cache(maxsize=1024)
def zone_here(name: str) -> str:
    """A zone as it stands, or UTC where this machine does not know it, which the log tells once.

    UTC is then what the entry says its day was counted in, so that an audit comes to the same day on any machine.
    """
    try:
        zone(name)
    except Invalid:
        log.warning("time_zone_unknown", time_zone=name, counted_as="UTC")
        return "UTC"
    return name
