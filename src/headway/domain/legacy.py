"""Ids of learners as an older product wrote them: `user_7`, `7` and 7 are one."""

import re
from typing import Final

PREFIX: Final = "user_"
_NUMBERED: Final = re.compile(r"(?:user[_-]?)?0*(\d{1,18})", re.ASCII | re.IGNORECASE)


def legacy_id(reference: str) -> str | None:
    """The external id of a learner who is named by a number, `user_7`; None where the name is none of those."""
    found = _NUMBERED.fullmatch(reference.strip())
    return f"{PREFIX}{found[1]}" if found else None


def legacy_learner(name: object) -> str | None:
    """The external id that a record's name for its learner stands for; None where it names nobody."""
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
