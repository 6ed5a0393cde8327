"""Ids in paths."""

import re
from typing import Final

_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)


def is_id(sent: str) -> bool:
    """Whether a string has the form of an id: a UUID in lower case."""
    return _UUID.fullmatch(sent) is not None
