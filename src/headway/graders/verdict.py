"""What a grader says of a response, and how it refuses one that it cannot read."""

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any, Final, NamedTuple

from headway.domain.errors import Invalid
from headway.domain.faults import show
from headway.domain.fields import kind_of
from headway.domain.scores import FULL

RESPONSE_BYTES_MAX: Final = 64 * 1024


class Verdict(NamedTuple):
    """The score in millionths of 0 to 1, and what the author has to say to this response; empty where nothing.

    No score is that of a response which waits for a person.
    """

    score: int | None
    feedback: str = ""


class ResponseInvalid(Invalid):
    """The response does not fit its question."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail, field="response")


def judged(config: Mapping[str, Any], credit: Fraction, comments: Iterable[str] = ()) -> Verdict:
    """The verdict on a response worth `credit` (0 to 1, rounded once): its own comments, else those on its success."""
    score = (2 * credit.numerator * FULL + credit.denominator) // (2 * credit.denominator)
    return Verdict(score, "\n".join(comments) or _general(config, score))


def decided(config: Mapping[str, Any], right: bool, comment: str | None = None) -> Verdict:
    """The verdict on a response that is right or wrong."""
    score = FULL if right else 0
    return Verdict(score, comment or _general(config, score))


def text_response(response: object) -> str:
    """A response that is a text of no more than 64 KiB."""
    if not isinstance(response, str):
        raise ResponseInvalid(f"response must be a text, not {kind_of(response)}")
    try:
        size = len(response.encode())
    except UnicodeEncodeError:
        raise ResponseInvalid("response holds half a character (a lone surrogate); send the whole one") from None
    if size > RESPONSE_BYTES_MAX:
        raise ResponseInvalid(f"response is {size:,} bytes long; at most {RESPONSE_BYTES_MAX:,} are read")
    return response


def keys_response(response: object, known: Mapping[str, Any]) -> Sequence[str]:
    """A response that is a list of different keys out of those known."""
    if not isinstance(response, list | tuple):
        raise ResponseInvalid(f"response must be a list of keys ({_listed(known)}), not {kind_of(response)}")
    for key in response:
        known_key(key, known)
    if len(set(response)) != len(response):
        raise ResponseInvalid("response names a key twice; name each once")
    return response


def known_key(key: object, known: Mapping[str, Any]) -> str:
    """A response, or a part of one, that is one of the keys known."""
    if isinstance(key, str) and key in known:
        return key
    shown = show(key) if isinstance(key, str) else kind_of(key)
    raise ResponseInvalid(f"response must be made of the keys {_listed(known)}; {shown} is none of them")


def _general(config: Mapping[str, Any], score: int) -> str:
    name = "when_right" if score == FULL else "when_partly" if score else "when_wrong"
    text: str = config.get(name) or ""
    return text


def _listed(known: Iterable[str]) -> str:
    keys = list(known)
    return ", ".join(map(show, keys[:20])) + (", …" if len(keys) > 20 else "")
