"""The age of what is shown, said wherever that is not the server's answer of this moment."""

from typing import TYPE_CHECKING, Any, Final

from headway.cli.learner.drawing import dim
from headway.cli.screen import counted, say

if TYPE_CHECKING:
    from headway.client import Answer

# Kept answers younger than this are shown without their age.
_YOUNG_S: Final = 60


def age_of(*answers: "Answer[Any]") -> dict[str, Any]:
    """For JSON: `at`, the time of the oldest answer, and `is_fresh`, whether the server gave all of them just now."""
    from headway.client.shapes import together

    known = together(None, answers)
    return {"at": known.at.isoformat(), "is_fresh": known.is_fresh}


def say_age(*answers: "Answer[Any]") -> None:
    """For people: the age of the oldest answer, and, if the server was asked in vain, why it could not be reached."""
    from datetime import UTC, datetime

    from headway.client.shapes import together

    known = together(None, answers)
    age_s = (datetime.now(UTC) - known.at).total_seconds()
    if known.trouble is not None:
        say(dim(f"As of {_ago(age_s)}: {known.trouble}."))
    elif age_s >= _YOUNG_S:
        say(dim(f"As of {_ago(age_s)}."))


def _ago(seconds: float) -> str:
    for size, name in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size:
            return f"{counted(int(seconds // size), name)} ago"
    return "a moment ago"
