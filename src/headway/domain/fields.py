"""Read the fields of an object that an author wrote: note every fault under its path, and read on."""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from math import isfinite
from typing import Any, Final

from headway.domain.faults import Faults, join, show

SLUG_MAX: Final = 200
TITLE_MAX: Final = 500
UNKNOWN_MAX: Final = 20
SLUG = re.compile(r"[a-z0-9]([a-z0-9._-]*[a-z0-9])?", re.ASCII)
_SURROGATE = re.compile(r"[\ud800-\udfff]")


class Fields:
    """The fields of an object at `path`; a faulty or missing field reads as its default, and null as missing.

    `known` are the names that the object may have (None: any), `what` is its name in messages (`a module`).
    """

    __slots__ = ("_raw", "faults", "path", "what")

    def __init__(self, raw: object, what: str, known: Sequence[str] | None, path: str, faults: Faults) -> None:
        self.what, self.path, self.faults = what, path, faults
        self._raw: Mapping[Any, Any] | None = raw if isinstance(raw, Mapping) else None
        if self._raw is None:
            faults.add(path, f"{what} must be an object with named fields, not {kind_of(raw)}")
        elif known is not None:
            self._refuse_unknown(self._raw, known)

    def at(self, name: str) -> str:
        """The path of a field."""
        return join(self.path, name)

    def fault(self, name: str, message: str) -> None:
        """Note a fault of a field."""
        self.faults.add(self.at(name), message)

    def has(self, name: str) -> bool:
        """Whether the field is present, even as null."""
        return self._raw is not None and name in self._raw

    def get(self, name: str) -> Any:
        """The field as it was written; None where it is left out."""
        return None if self._raw is None else self._raw.get(name)

    def require(self, name: str) -> Any:
        """The field as it was written; None, and a fault, where it is missing."""
        value = self.get(name)
        if value is None and self._raw is not None:
            self.fault(name, f"is missing; {self.what} needs it")
        return value

    def text(self, name: str, limit: int = TITLE_MAX) -> str:
        """A text that must be there and must not be blank."""
        value = self.require(name)
        return "" if value is None else self.checked_text(value, self.at(name), limit)

    def optional_text(self, name: str, limit: int) -> str | None:
        """A text that may be left out."""
        value = self.get(name)
        return None if value is None else self.checked_text(value, self.at(name), limit)

    def checked_text(self, value: object, path: str, limit: int) -> str:
        """The value if it is a text that can be stored and shown; else an empty string, and a fault."""
        message = text_fault(value, limit)
        if message:
            self.faults.add(path, message)
            return ""
        return str(value)

    def slug(self, name: str) -> str:
        """An id that must be there."""
        value = self.require(name)
        return "" if value is None else self.checked_slug(value, self.at(name))

    def checked_slug(self, value: object, path: str) -> str:
        """The value if it is a slug; else an empty string, and a fault with a proposal."""
        text = self.checked_text(value, path, SLUG_MAX)
        if text and not SLUG.fullmatch(text):
            proposal = re.sub(r"[^a-z0-9._]+", "-", text.lower()).strip("._-") or "for-loops"
            self.faults.add(
                path,
                "must be lower-case letters a to z, digits, hyphens, dots and underscores, with a letter or digit at"
                f" both ends; {show(proposal)} would do",
            )
            return ""
        return text

    def one_of(self, name: str, allowed: Sequence[str], default: str) -> str:
        """One of some words; an empty default makes the field required."""
        value = self.get(name) if default else self.require(name)
        if value is None:
            return default or allowed[0]
        if value in allowed and isinstance(value, str):
            return value
        hint = self.faults.did_you_mean(value, allowed) if isinstance(value, str) else f", not {kind_of(value)}"
        self.fault(name, f"must be one of {', '.join(allowed)}{hint}")
        return default or allowed[0]

    def flag(self, name: str, default: bool) -> bool:
        """True or false."""
        value = self.get(name)
        if value is None or isinstance(value, bool):
            return default if value is None else value
        self.fault(name, f"must be true or false, not {kind_of(value)}")
        return default

    def number(self, name: str, default: int, high: int, places: int) -> int:
        """A number from 0 to `high` with at most `places` decimals, as an exact integer: times 10 ** `places`."""
        value = self.get(name)
        if value is None:
            return default
        exact = exact_number(value)
        if exact is None:
            hint = "; write it without quotes" if isinstance(value, str) else ""
            self.fault(name, f"must be a number from 0 to {high:,}, not {kind_of(value)}{hint}")
            return default
        if not 0 <= exact <= high:
            self.fault(name, f"must lie between 0 and {high:,}")
            return default
        scaled = exact.scaleb(places)
        if scaled != scaled.to_integral_value():
            self.fault(name, f"has more than {places} decimals; round it" if places else "must be a whole number")
            return default
        return int(scaled)

    def items(self, name: str, limit: int, *, required: bool = False) -> Sequence[Any]:
        """A list; empty where it is left out, no list, or longer than `limit`."""
        value = self.require(name) if required else self.get(name)
        if value is None:
            return ()
        if not isinstance(value, list | tuple):
            self.fault(name, f"must be a list, not {kind_of(value)}")
        elif len(value) > limit:
            self.fault(name, f"holds {len(value):,}; at most {limit:,} are taken")
        elif required and not value:
            self.fault(name, f"is empty; {self.what} needs at least one")
        else:
            return value
        return ()

    def texts(self, name: str, count: int, limit: int, *, required: bool = False) -> tuple[str, ...]:
        """A list of distinct texts, at most `count` of them; faulty ones are left out."""
        return self._distinct(
            name, [(path, self.checked_text(value, path, limit)) for path, value in self._placed(name, count, required)]
        )

    def slugs(self, name: str, count: int) -> tuple[str, ...]:
        """A list of distinct ids, at most `count` of them; faulty ones are left out."""
        return self._distinct(
            name, [(path, self.checked_slug(value, path)) for path, value in self._placed(name, count, False)]
        )

    def texts_by_name(self, name: str, count: int, limit: int, *, required: bool = False) -> dict[str, str]:
        """An object whose values are texts, such as options by their key."""
        value = self.require(name) if required else self.get(name)
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            self.fault(
                name, f"must be an object of names and texts, such as {{a: first, b: second}}, not {kind_of(value)}"
            )
            return {}
        if len(value) > count:
            self.fault(name, f"holds {len(value):,}; at most {count:,} are taken")
            return {}
        return {
            key: self._named_text(name, key, text, limit) for key, text in value.items() if self._is_name(name, key)
        }

    def _named_text(self, name: str, key: str, text: object, limit: int) -> str:
        return self.checked_text(text, join(self.at(name), key), limit)

    def _is_name(self, name: str, key: object) -> bool:
        message = text_fault(key, TITLE_MAX)
        if message:
            self.fault(name, f"has a name that {message}")
        return not message

    def _placed(self, name: str, count: int, required: bool) -> list[tuple[str, object]]:
        return [(join(self.at(name), i), value) for i, value in enumerate(self.items(name, count, required=required))]

    def _distinct(self, name: str, placed: list[tuple[str, str]]) -> tuple[str, ...]:
        seen: dict[str, str] = {}
        for path, text in placed:
            if text and text in seen:
                self.faults.add(path, f"{show(text)} stands in {name} twice; leave one out")
            elif text:
                seen[text] = path
        return tuple(seen)

    def _refuse_unknown(self, raw: Mapping[Any, Any], known: Sequence[str]) -> None:
        unknown = [name for name in raw if name not in known]
        for name in unknown[:UNKNOWN_MAX]:
            if not isinstance(name, str):
                self.faults.add(self.path, f"has a field whose name is {kind_of(name)}; write names as text")
                continue
            hint = self.faults.did_you_mean(name, known) or f"; {self.what} may hold {', '.join(known)}"
            self.faults.add(join(self.path, name), f"is no field of {self.what}{hint}")
        if len(unknown) > UNKNOWN_MAX:
            self.faults.add(self.path, f"has {len(unknown) - UNKNOWN_MAX:,} more unknown fields")


def kind_of(value: object) -> str:
    """The kind of a value, in words that an author uses."""
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, float) and not isfinite(value):
        return "infinity or no number at all"
    names = ((type(None), "null"), (str, "a text"), (int | float, "a number"), (Mapping, "an object"))
    for kind, name in names:
        if isinstance(value, kind):
            return name
    return "a list" if isinstance(value, list | tuple) else f"a {type(value).__name__}"


def text_fault(value: object, limit: int) -> str:
    """What is wrong with a value as a text, with the fix; empty if nothing is."""
    if not isinstance(value, str):
        hint = "; write it in quotes" if value is not None and not isinstance(value, Mapping | list | tuple) else ""
        return f"must be a text, not {kind_of(value)}{hint}"
    if len(value) > limit:
        return f"is {len(value):,} characters long; at most {limit:,} are taken"
    if not value.strip():
        return "is blank; write something"
    if "\0" in value:
        return "holds a NUL character; take it out"
    return "holds half a character (a lone surrogate); write the whole one" if _SURROGATE.search(value) else ""


def exact_number(value: object) -> Decimal | None:
    """A finite number as an exact decimal (of a float, the shortest one that reads as it), else None."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not (isinstance(value, int) or isfinite(value)):
        return None
    return Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
