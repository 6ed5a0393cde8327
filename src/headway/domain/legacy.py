"""Ids of learners as an older product wrote them: `user_7`, `7` and 7 are one."""

import re
from typing import Final

PREFIX: Final = "user_"
_NUMBERED: Final = re.compile(r"(?:user[_-]?)?0*(\d{1,18})", re.ASCII | re.IGNORECASE)


def legacy_id(reference: str) -> str | None:
    """The external id, such as `user_7`, of a learner who is named by a number; None for any other name."""
    found = _NUMBERED.fullmatch(reference.strip())
    return f"{PREFIX}{found[1]}" if found else None


def legacy_learner(name: object) -> str | None:
    """The external id for a learner as a record names them, a text or a number; None where it cannot be a name."""
    if isinstance(name, bool) or not isinstance(name, str | int | float):
        return None
    if isinstance(name, float):
        if not name.is_integer():
            return None
        name = int(name)
    text = str(name).strip()
    if not text or not text.isprintable() or len(text) > 200 or text.startswith("-"):
        return None
    return legacy_id(text) or (text if text.lower().startswith(PREFIX) else f"{PREFIX}{text}")
