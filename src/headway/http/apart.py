"""Events of a body that cannot be read as a whole: one enormous number in one of them must not cost the others."""

import re
from collections.abc import Iterator
from typing import Annotated, Any, Final, NamedTuple, TypeAlias

import msgspec
from msgspec import Meta, Raw, Struct

from headway.domain.events import EventInvalid
from headway.http.refusals import BodyInvalid, FieldFault
from headway.http.wording import in_our_words

EVENTS_MAX: Final = 500
# Deeper than any response may be, so that what is left of a deeper one is refused for its depth.
_DEPTH_KEPT: Final = 100
# Brackets in a row outside of strings, or the end; an unclosed string reaches to the end. The pattern matches wherever
# it is tried: one that can fail would be tried again from each byte, at a cost that grows with the square of the
# length.
_BRACKETS: Final = re.compile(rb'(?:[^"\[\]{}]++|"(?:[^"\\]++|\\.)*+"?)*+([\[{]++|[\]}]++|\Z)', re.DOTALL)


class Unread(NamedTuple):
    """An event that cannot be read: its id as sent, where that can, and why it is refused."""

    id: object
    problem: EventInvalid


ReadApart: TypeAlias = tuple[str | None, list[dict[str, Any] | Unread]]


class _Batch(Struct, forbid_unknown_fields=True):
    events: Annotated[list[Raw], Meta(min_length=1, max_length=EVENTS_MAX)]
    sent_at: str | None = None


_decode_batch = msgspec.json.Decoder(_Batch).decode
_decode_event = msgspec.json.Decoder(dict[str, Any]).decode
_decode_parts = msgspec.json.Decoder(dict[str, Raw]).decode
_decode_any = msgspec.json.Decoder().decode


def read_apart(raw: bytes) -> ReadApart:
    """Decode `sent_at`, and each event by itself; a fault of the body as a whole raises the decoder's error."""
    try:
        return _read(raw)
    except RecursionError:
        return _read(b"".join(_shallow(raw)))


def _read(raw: bytes) -> ReadApart:
    sent = _decode_batch(raw)
    return sent.sent_at, [_event(place, one) for place, one in enumerate(sent.events)]


def _event(place: int, raw: Raw) -> dict[str, Any] | Unread:
    try:
        return _decode_event(raw)
    except msgspec.ValidationError as error:
        why = in_our_words(str(error).partition(" - at ")[0])
    try:
        parts = _decode_parts(raw)
    except msgspec.ValidationError as error:
        raise BodyInvalid([FieldFault(f"events[{place}]", f"events[{place}]: {in_our_words(str(error))}")]) from None
    bad = [name for name, part in parts.items() if not _is_readable(part)]
    field = bad[0][:200] if bad else None
    event_id = _decode_any(parts["id"]) if "id" in parts and "id" not in bad else None
    return Unread(event_id, EventInvalid(f"{field or 'the event'} cannot be read: {why}", field=field))


def _is_readable(part: Raw) -> bool:
    try:
        _decode_any(part)
    except msgspec.ValidationError:
        return False
    return True


def _shallow(raw: bytes) -> Iterator[bytes]:
    """Yield the bytes of a body without what is nested deeper than any event may be."""
    depth = kept = 0
    for found in _BRACKETS.finditer(raw):
        first, end = found.span(1)
        if raw[first : first + 1] in (b"[", b"{"):
            if depth < _DEPTH_KEPT <= depth + end - first:
                yield raw[kept : first + _DEPTH_KEPT - depth]
            depth += end - first
        else:
            if depth - (end - first) < _DEPTH_KEPT <= depth:
                kept = first + depth - _DEPTH_KEPT
            depth -= end - first
    if depth < _DEPTH_KEPT:
        yield raw[kept:]
