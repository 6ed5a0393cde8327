"""People who graded: a pseudonym in the ledgers of others, a name for readers."""

from collections.abc import Mapping
from typing import Final

import msgspec
from msgspec import Struct


class Person(Struct):
    """A person, by id and name."""

    id: str
    display_name: str | None


class Said(Struct):
    """What the body of a grade says for people."""

    feedback: str | None = None
    by: str | None = None


decode_said: Final = msgspec.json.Decoder(Said).decode


def person(pseudonym: str | None, people: Mapping[str, tuple[str, str | None]]) -> Person | None:
    """Return the person whom a pseudonym stands for; None for the operator, or for somebody erased."""
    found = people.get(pseudonym) if pseudonym else None
    return None if found is None else Person(*found)
