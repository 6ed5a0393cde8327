"""The fields that graders share in their configurations, and the checks on them."""

from collections.abc import Mapping
from typing import Any, Final

from headway.domain.faults import Faults, show
from headway.domain.fields import Fields

OPTIONS_MAX: Final = 100
ANSWERS_MAX: Final = 1_000
ANSWER_TEXT_MAX: Final = 1_000
COMMENT_MAX: Final = 5_000
COMMENTS: Final = ("when_right", "when_wrong")
CREDIT: Final = ("partial", "exact")


def opened(config: Mapping[str, Any], names: tuple[str, ...]) -> Fields:
    """The fields of a grader's configuration, with its comments on answers checked."""
    kind = str(config.get("type"))
    fields = Fields(config, f"a grader of type {kind}", ("type", *names, *COMMENTS), "", Faults())
    for name in ("when_right", "when_partly", "when_wrong"):
        fields.optional_text(name, COMMENT_MAX)
    return fields


def check_options(fields: Fields, name: str) -> dict[str, str]:
    """Options by key, checked; there must be at least two."""
    options = fields.texts_by_name(name, OPTIONS_MAX, COMMENT_MAX, required=True)
    if len(options) == 1:
        fields.fault(name, "holds a single one; there must be at least two to choose from")
    return options


def check_keys(fields: Fields, name: str, options: Mapping[str, str]) -> tuple[str, ...]:
    """A list of options' keys, checked; there must be at least one."""
    keys = fields.texts(name, OPTIONS_MAX, COMMENT_MAX, required=True)
    for key in keys:
        check_key(fields, name, key, options)
    return keys


def check_key(fields: Fields, name: str, key: str, options: Mapping[str, str]) -> None:
    """Note a key that is no option's, unless the options are faulty themselves."""
    if options and key not in options:
        hint = fields.faults.did_you_mean(key, options) or f"; they are {', '.join(map(show, list(options)[:20]))}"
        fields.fault(name, f"names {show(key)}, which is none of the keys{hint}")


def check_feedback(fields: Fields, options: Mapping[str, str]) -> None:
    """Check comments by option's key."""
    for key in comments_by_answer(fields):
        check_key(fields, "feedback", key, options)


def comments_by_answer(fields: Fields, count: int = ANSWERS_MAX) -> dict[str, str]:
    """The comments by the answer that they are on, checked."""
    return fields.texts_by_name("feedback", count, COMMENT_MAX)
