"""The grader for a text that matches a pattern; takes time linear in the text's length, whatever the pattern."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

import re2

from headway.domain.faults import Fault, Faults, join
from headway.graders.configuration import comments_by_answer, opened
from headway.graders.verdict import RESPONSE_BYTES_MAX, ResponseInvalid, Verdict, decided, text_response

PATTERN_MAX: Final = 2_000
PROGRAM_MAX: Final = 20_000
# Matching takes at worst the text's bytes times the instructions of all patterns; this many steps take a third of a
# second. Patterns of up to 500 instructions together, which most are, allow texts of 64 KiB, as other graders do.
STEPS_MAX: Final = 500 * RESPONSE_BYTES_MAX
# RE2 refuses a pattern that takes more memory. Compiling holds the interpreter's lock: with RE2's default of 8 MiB, a
# pattern of 14 characters blocked everything for a second, and a manifest has room for a hundred thousand of them.
CHECKED_BYTES_MAX: Final = 1024 * 1024
COMMENTED_MAX: Final = 20
MATCHES: Final = ("full", "search")


def check(config: Mapping[str, Any]) -> list[Fault]:
    """The faults of a configuration: the `pattern`, `match` in full (default) or search, and `case_sensitive`."""
    fields = opened(config, ("pattern", "match", "case_sensitive", "feedback"))
    pattern = fields.text("pattern", PATTERN_MAX)
    case_sensitive = fields.flag("case_sensitive", True)
    fields.one_of("match", MATCHES, "full")
    size = _check_pattern(pattern, "pattern", case_sensitive, fields.faults) if pattern else 0
    # After a first faulty pattern the others are not compiled, because each costs as much.
    for comment in comments_by_answer(fields, COMMENTED_MAX):
        if size <= PROGRAM_MAX and not fields.faults.found:
            size += _check_pattern(comment, join("feedback", comment), case_sensitive, fields.faults)
    if size > PROGRAM_MAX:
        fields.fault("pattern", f"comes to {size:,} instructions; at most {PROGRAM_MAX:,} are run: repeat less")
    return fields.faults.listed()


def grade(config: Mapping[str, Any], response: object) -> Verdict:
    """The verdict on a text, without its outer whitespace: right or wrong."""
    sent = text_response(response)
    feedback = config.get("feedback") or {}
    case_sensitive = config.get("case_sensitive") is not False
    patterns = [_compiled(one, case_sensitive) for one in (config["pattern"], *feedback)]
    limit = STEPS_MAX // sum(one.programsize for one in patterns)
    if limit < RESPONSE_BYTES_MAX and len(sent.encode()) > limit:
        raise ResponseInvalid(f"response is too long to be matched here; at most {limit:,} bytes are")
    text, somewhere = sent.strip(), config.get("match") == "search"
    right, *commented = (_fits(one, text, somewhere) for one in patterns)
    comments = (comment for comment, fits in zip(feedback.values(), commented, strict=True) if fits)
    return decided(config, right, next(comments, None))


def public(config: Mapping[str, Any]) -> dict[str, Any]:
    """What learners may see: that the answer is a text, and whether case matters; the pattern would give it away."""
    return {"type": "regex", "case_sensitive": config.get("case_sensitive") is not False}


def _fits(pattern: Any, text: str, somewhere: bool) -> bool:
    return (pattern.search(text) if somewhere else pattern.fullmatch(text)) is not None


def _check_pattern(pattern: str, path: str, case_sensitive: bool, faults: Faults) -> int:
    """The number of instructions of a pattern; 0, and a fault, where it cannot be matched in linear time."""
    try:
        size: int = re2.compile(pattern, _options(case_sensitive, CHECKED_BYTES_MAX)).programsize
    except re2.error as refusal:
        why = refusal.args[0].decode(errors="replace")
        faults.add(
            path,
            f"is no pattern that can be matched in linear time: {why}; look-around and back-references must be written"
            " another way",
        )
        return 0
    return size


@lru_cache(maxsize=256)
def _compiled(pattern: str, case_sensitive: bool) -> Any:
    return re2.compile(pattern, _options(case_sensitive))


def _options(case_sensitive: bool, bytes_max: int | None = None) -> Any:
    options = re2.Options()
    options.case_sensitive = case_sensitive
    options.never_capture = True
    options.log_errors = False
    if bytes_max is not None:
        options.max_mem = bytes_max
    return options
