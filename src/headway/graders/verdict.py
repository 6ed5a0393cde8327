"""A grader's verdict on a response, and the refusal of responses that it cannot read."""

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any, Final, NamedTuple

from headway.domain.errors import Invalid
from headway.domain.faults import show
from headway.domain.fields import kind_of
from headway.domain.scores import FULL

RESPONSE_BYTES_MAX: Final = 64 * 1024


class Verdict(NamedTuple):
    """The score in millionths, and the author's feedback on the response, empty where there is none.

    A score of None means that the response waits for a person's grade.
    """

    score: int | None
    feedback: str = ""


class ResponseInvalid(Invalid):
    """The response does not fit its question."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail, field="response")


def judged(config: Mapping[str, Any], credit: Fraction, comments: Iterable[str] = ()) -> Verdict:
    """The verdict on a response worth `credit` (0 to 1, rounded once), with these comments, or else the general one."""
    score = (2 * credit.numerator * FULL + credit.denominator) // (2 * credit.denominator)
    return Verdict(score, "\n".join(comments) or _general(config, score))


def decided(config: Mapping[str, Any], right: bool, comment: str | None = None) -> Verdict:
    """The verdict on a response that is right or wrong, with this comment, or else the general one."""
    score = FULL if right else 0
    return Verdict(score, comment or _general(config, score))


def text_response(response: object) -> str:
    """The response, checked to be a text of at most 64 KiB; else ResponseInvalid."""
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
    """The response, checked to be a list of distinct known keys; else ResponseInvalid."""
    if not isinstance(response, list | tuple):
        raise ResponseInvalid(f"response must be a list of keys ({_listed(known)}), not {kind_of(response)}")
    for key in response:
        known_key(key, known)
    if len(set(response)) != len(response):
        raise ResponseInvalid("response names a key twice; name each once")
    return response


def known_key(key: object, known: Mapping[str, Any]) -> str:
    """The key, checked to be a known one; else ResponseInvalid."""
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
