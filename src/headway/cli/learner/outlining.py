"""Any JSON as an outline for people: names and values in columns, rows as a table, what is nested below, indented."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from headway.cli.learner.drawing import bold, clean, table

_INDENT: Final = "  "
_DEEPEST: Final = 20


def lines_of(value: Any, depth: int = 0) -> Iterator[str]:
    """The lines of an outline; what is nested deeper than `_DEEPEST` is shown as JSON."""
    if depth > _DEEPEST:
        yield clean(json.dumps(value, ensure_ascii=False))
    elif isinstance(value, Mapping):
        yield from _of_object(value, depth)
    elif isinstance(value, list):
        yield from _of_list(value, depth)
    else:
        yield _shown(value)


def _of_object(value: Mapping[str, Any], depth: int) -> Iterator[str]:
    plain = {name: _shown(one) for name, one in value.items() if _is_plain(one)}
    yield from table([(clean(name), one) for name, one in plain.items()]) if plain else ()
    for name, one in value.items():
        if name not in plain:
            yield bold(clean(name))
            yield from (_INDENT + line for line in lines_of(one, depth + 1))


def _of_list(value: list[Any], depth: int) -> Iterator[str]:
    """Objects that hold only plain values are rows of a table; other items are listed one after the other."""
    if value and all(isinstance(one, Mapping) and all(map(_is_plain, one.values())) for one in value):
        names = list(dict.fromkeys(name for one in value for name in one))
        rows = [[_shown(one[name]) if name in one else "" for name in names] for one in value]
        yield from table([[clean(name) for name in names], *rows])
        return
    for one in value:
        lines = lines_of(one, depth + 1)
        yield f"- {next(lines, '')}"
        yield from (_INDENT + line for line in lines)


def _is_plain(value: Any) -> bool:
    """Whether a value fits into one line: neither an object, nor a list that holds objects or lists."""
    values = value if isinstance(value, list) else [value]
    return not any(isinstance(one, list | Mapping) for one in values)


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_shown, value)) or "-"
    if value is None:
        return "-"
    return str(value).lower() if isinstance(value, bool) else clean(value).replace("\n", " ")
