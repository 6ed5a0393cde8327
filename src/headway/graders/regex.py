"""A text that fits a pattern, in time that grows with its length and no faster, whatever the pattern."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

import re2

from headway.domain.faults import Fault, Faults, join
from headway.graders.configuration import comments_by_answer, opened
from headway.graders.verdict import Verdict, decided, text_response

PATTERN_MAX: Final = 2_000
# Matching costs up to the length of the text times this: half a second for 64 KiB at the very worst.
PROGRAM_MAX: Final = 1_000
COMMENTED_MAX: Final = 20
MATCHES: Final = ("full", "search")


def check(config: Mapping[str, Any]) -> list[Fault]:
    """The `pattern`, whether it must `match` in full (so by default) or somewhere, and whether case matters."""
    fields = opened(config, ("pattern", "match", "case_sensitive"))
    pattern = fields.text("pattern", PATTERN_MAX)
    case_sensitive = fields.flag("case_sensitive", True)
    fields.one_of("match", MATCHES, "full")
    if pattern:
        _check_pattern(pattern, "pattern", case_sensitive, fields.faults)
    comments = comments_by_answer(fields)
    if len(comments) > COMMENTED_MAX:
        fields.fault("feedback", f"holds {len(comments)} patterns; at most {COMMENTED_MAX} are tried")
    for commented in comments:
        _check_pattern(commented, join("feedback", commented), case_sensitive, fields.faults)
    return fields.faults.listed()


def grade(config: Mapping[str, Any], response: object) -> Verdict:
    """Right or wrong; the response is a text, and its outer spaces and line ends do not count."""
    text = text_response(response).strip()
    right = _fits(config, config["pattern"], text)
    feedback = config.get("feedback") or {}
    return decided(config, right, next((feedback[one] for one in feedback if _fits(config, one, text)), None))


def public(config: Mapping[str, Any]) -> dict[str, Any]:
    """That the answer is a text; the pattern gives it away."""
    return {"type": "regex", "case_sensitive": config.get("case_sensitive") is not False}


def _fits(config: Mapping[str, Any], pattern: str, text: str) -> bool:
    compiled = _compiled(pattern, config.get("case_sensitive") is not False)
    find = compiled.search if config.get("match") == "search" else compiled.fullmatch
    return find(text) is not None


def _check_pattern(pattern: str, path: str, case_sensitive: bool, faults: Faults) -> None:
    try:
        size = _compiled(pattern, case_sensitive).programsize
    except re2.error as refusal:
        why = refusal.args[0].decode(errors="replace")
        faults.add(
            path,
            f"is no pattern that can be matched in linear time: {why}; look-around and back-references must be written"
            " another way",
        )
        return
    if size > PROGRAM_MAX:
        faults.add(path, f"comes to {size:,} instructions; at most {PROGRAM_MAX:,} are run: repeat less")


@lru_cache(maxsize=256)
def _compiled(pattern: str, case_sensitive: bool) -> Any:
    options = re2.Options()
    options.case_sensitive = case_sensitive
    options.never_capture = True
    options.log_errors = False
    return re2.compile(pattern, options)
