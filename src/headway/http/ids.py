"""Ids in paths."""

import re
from typing import Final

_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)


def is_id(sent: str) -> bool:
    """Whether it can be the id of anything: PostgreSQL cannot even be asked for others."""
    return _UUID.fullmatch(sent) is not None
