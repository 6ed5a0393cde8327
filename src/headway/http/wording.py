"""The JSON decoder's messages in the words of the contract: what a value must be, and what it is."""

import re
from collections.abc import Sequence
from typing import Final

_KINDS: Final = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}
_KIND: Final = re.compile(r"Expected `([^`]+)`(?:, got `([^`]+)`)?")
_BOUND: Final = re.compile(r"Expected `([^`]+)`( of length)? (>=|<=|<|>) (\S+)")
_LIMITS: Final = {">=": "at least", "<=": "at most", "<": "less than", ">": "more than"}
_UNITS: Final = {"str": "character", "array": "item", "object": "field"}
_NO_CHOICE: Final = "Invalid enum value "
_PATTERN: Final = re.compile(r"Expected `str` matching regex .*", re.DOTALL)
# Said even where no number belongs: the decoder reads a number before it looks at what belongs there.
_TOO_LARGE: Final = ("Number out of range", "Integer value out of range")
TRUNCATED: Final = "Input data was truncated"
_BROKEN: Final = re.compile(r"JSON is malformed: (.*) \(byte (\d+)\)", re.DOTALL)


def in_our_words(said: str) -> str:
    """The decoder's message as a clause that says what to send; an unknown message is returned unchanged."""
    if found := _BOUND.fullmatch(said):
        kind, of_length, limit, bound = found.groups()
        unit = f" {_UNITS.get(kind, '')}{'' if bound == '1' else 's'}" if of_length else ""
        return f"must be {_kinds(kind)} of {_LIMITS[limit]} {bound}{unit}"
    if found := _KIND.fullmatch(said):
        expected, got = found.groups()
        return f"must be {_kinds(expected)}" + (f", not {_kinds(got)}" if got else "")
    if found := _BROKEN.fullmatch(said):
        return f"{found[1]} at byte {found[2]}"
    if _PATTERN.fullmatch(said):
        return "must be text of the form that the contract says"
    if is_too_large(said):
        return "must be no number of that size; send what belongs here, or leave it out"
    return "it ends too early" if said == TRUNCATED else said


def is_too_large(said: str) -> bool:
    """Whether a decoder's message is about a number out of range; such a message quotes nothing that was sent."""
    return said in _TOO_LARGE


def is_no_choice(said: str) -> bool:
    """Whether a decoder's message says that a value is not one of those allowed, without naming them."""
    return said.startswith(_NO_CHOICE)


def must_be_one_of(allowed: Sequence[str]) -> str:
    """The clause that names the allowed values."""
    return f"must be {'' if len(allowed) == 1 else 'one of '}{', '.join(allowed)}"


def _kinds(names: str) -> str:
    return " or ".join(_KINDS.get(name, name) for name in names.split(" | "))
