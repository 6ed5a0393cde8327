"""The grader for a short text that is one of the accepted ones, whatever its spaces and, by default, its case."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple
from unicodedata import normalize

from headway.domain.faults import Fault
from headway.graders.configuration import ANSWER_TEXT_MAX, ANSWERS_MAX, comments_by_answer, opened
from headway.graders.verdict import Verdict, decided, text_response

# A text normalized to some length had at most four times as many characters: composing joins at most four.
_SHRINKING_MAX = 4


class _Accepted(NamedTuple):
    answers: frozenset[str]
    comments: Mapping[str, str]
    longest: int


def check(config: Mapping[str, Any]) -> list[Fault]:
    """The faults of a configuration: the accepted `answers`, and whether the text is `case_sensitive`."""
    fields = opened(config, ("answers", "case_sensitive", "feedback"))
    fields.texts("answers", ANSWERS_MAX, ANSWER_TEXT_MAX, required=True)
    fields.flag("case_sensitive", False)
    comments_by_answer(fields)
    return fields.faults.listed()


def grade(config: Mapping[str, Any], response: object) -> Verdict:
    """The verdict on a text: right or wrong."""
    case_sensitive = bool(config.get("case_sensitive"))
    feedback = config.get("feedback") or {}
    accepted = _accepted(tuple(config["answers"]), tuple(feedback.items()), case_sensitive)
    spaced = " ".join(text_response(response).split())
    if len(spaced) > accepted.longest * _SHRINKING_MAX:
        # No answer is that long, and normalizing 64 KiB of nothing but accents takes seconds.
        return decided(config, False)
    given = normalized(spaced, case_sensitive)
    return decided(config, given in accepted.answers, accepted.comments.get(given))


def public(config: Mapping[str, Any]) -> dict[str, Any]:
    """What learners may see: that the answer is a text, and whether case matters."""
    return {"type": "text", "case_sensitive": bool(config.get("case_sensitive"))}


def normalized(text: str, case_sensitive: bool) -> str:
    """A text in the form that is compared: trimmed, with single spaces, in NFC.

    Unless case matters, it is folded between decomposing and composing, as Unicode defines caseless matching.
    """
    spaced = " ".join(text.split())
    if not case_sensitive:
        spaced = normalize("NFD", spaced).casefold()
    return normalize("NFC", spaced)


@lru_cache(maxsize=1024)
def _accepted(answers: tuple[str, ...], feedback: tuple[tuple[str, str], ...], case_sensitive: bool) -> _Accepted:
    known = frozenset(normalized(answer, case_sensitive) for answer in answers)
    comments = {normalized(answer, case_sensitive): comment for answer, comment in feedback}
    return _Accepted(known, comments, max(map(len, (*known, *comments))))
