"""How old what is shown is: said of all that is not the server's answer of now."""

from typing import TYPE_CHECKING, Any, Final

from headway.cli.learner.drawing import dim
from headway.cli.screen import counted, say

if TYPE_CHECKING:
    from headway.client import Answer

# What is younger and was not to be asked anew is taken as of now.
_YOUNG_S: Final = 60


def age_of(*answers: "Answer[Any]") -> dict[str, Any]:
    """For JSON: `at`, as of when the oldest of it is, and whether all of it `is_fresh`, the server's answer of now."""
    from headway.client.shapes import together

    known = together(None, answers)
    return {"at": known.at.isoformat(), "is_fresh": known.is_fresh}


def say_age(*answers: "Answer[Any]") -> None:
    """For people: as of when the oldest of it is, and why the server was not to be reached, where it was asked."""
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
