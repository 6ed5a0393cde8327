"""The values that a shape allows at a place, for a refusal that names them."""

import re
from collections.abc import Iterator
from typing import Any, Final

from msgspec import inspect

# `files[0].format` as the decoder writes it; `[...]` is any key of an object with arbitrary keys.
_PART: Final = re.compile(r"\[(\d+|\.\.\.)\]|([^.\[]+)")


def choices(shape: Any, place: str) -> tuple[str, ...]:
    """The values that a shape (a type) allows at a place; empty if it allows more than a list of them."""
    kinds = list(_alternatives(inspect.type_info(shape)))
    for _, name in _PART.findall(place):
        kinds = [inner for kind in kinds for part in _inside(kind, name) for inner in _alternatives(part)]
    literals = (kind for kind in kinds if isinstance(kind, inspect.LiteralType))
    return tuple(str(value) for kind in literals for value in kind.values)


def _alternatives(kind: inspect.Type) -> Iterator[inspect.Type]:
    if isinstance(kind, inspect.Metadata):
        yield from _alternatives(kind.type)
    elif isinstance(kind, inspect.UnionType):
        for one in kind.types:
            yield from _alternatives(one)
    else:
        yield kind


def _inside(kind: inspect.Type, name: str) -> Iterator[inspect.Type]:
    """The types of what a value holds under a name, or at any index if it is a list."""
    if isinstance(kind, inspect.StructType):
        yield from (field.type for field in kind.fields if field.encode_name == name)
    elif isinstance(kind, inspect.ListType):
        yield kind.item_type
    elif isinstance(kind, inspect.DictType):
        yield kind.value_type
