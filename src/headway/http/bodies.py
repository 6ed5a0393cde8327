"""Reading a request's body: bounded in size, decoded once, each fault named by its path."""

import re
from collections.abc import Callable
from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl

import msgspec

from headway.http.choices import choices
from headway.http.exchange import Asked, Exchange, exchange_of
from headway.http.refusals import BodyInvalid, FieldFault, Malformed, TooLarge, WrongMediaType
from headway.http.wording import TRUNCATED, in_our_words, is_no_choice, is_too_large, must_be_one_of

BODY_BYTES_MAX: Final = 2 * 1024 * 1024
_JSON: Final = re.compile(rb"application/(?:[\w.+-]+\+)?json\s*(?:;\s*charset=\"?utf-?8\"?\s*)?", re.IGNORECASE)
_FORM: Final = re.compile(rb"application/x-www-form-urlencoded\s*(?:;\s*charset=\"?utf-?8\"?\s*)?", re.IGNORECASE)
_PLACE: Final = re.compile(r"(.*?)(?: - at `(?:key in )?\$\.?(.*)`)?", re.DOTALL)
_UNKNOWN: Final = re.compile(r"Object contains unknown field `(.*)`", re.DOTALL)
# The steps of a path to a value: names, indexes, and fields whose names the decoder does not tell.
_STEPS: Final = re.compile(r"\.(\w+)|\[(\d+)\]|(\[\.{3}\])")
# Each step decodes all that is within it once more.
_STEPS_MAX: Final = 8
_NAMED_BYTES_MAX: Final = 64 * 1024
_MISSING: Final = re.compile(r"Object missing required field `(.*)`", re.DOTALL)

# Half of a surrogate pair, without another escape after it.
_HALF: Final = re.compile(rb"\\u[dD][89abAB][0-9a-fA-F]{2}(?=[^\\]|\\[^u])")
_HALF_WITHIN: Final = 20
_NAME_SHOWN_MAX: Final = 200

T = TypeVar("T")


async def read_json(request: Asked, decode: Callable[[bytes], T], *, empty: bytes | None = None) -> T:
    """Read the body and decode it; `empty` takes the place of a body that was left out, where that is allowed."""
    raw = await read_body(exchange_of(request), request.receive)
    return decode_json(empty if not raw and empty is not None else raw, decode)


def decode_json(raw: bytes, decode: Callable[[bytes], T]) -> T:
    """Decode the bytes; Malformed if they are not JSON, BodyInvalid if they do not fit the shape."""
    try:
        return decode(raw)
    except msgspec.ValidationError as error:
        # The decoder stops at what does not fit, and has not seen whether the rest is JSON at all.
        if (fault := _fault_of_json(raw)) is not None:
            raise _malformed(fault, raw) from None
        shape = getattr(getattr(decode, "__self__", None), "type", Any)
        raise BodyInvalid([_fault(_with_names(str(error), raw), shape)]) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _malformed(error, raw) from None


def _fault_of_json(raw: bytes) -> Exception | None:
    """Why the bytes are not JSON; None if they are."""
    try:
        raw.decode()
        msgspec.json.decode(raw, type=msgspec.Raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return error
    return None


def _with_names(said: str, raw: bytes) -> str:
    """The decoder's message, where it is about a number out of range, with the names of fields that it leaves out."""
    what, mark, way = said.partition(" - at `$")
    steps = _STEPS.findall(way)
    # Other messages may quote what was sent, which could look like a path.
    if not is_too_large(what) or len(steps) > _STEPS_MAX or len(raw) > _NAMED_BYTES_MAX:
        return said
    named = what + mark
    for field, place, _ in steps:
        try:
            inner: Any = msgspec.json.decode(raw, type=dict[str, msgspec.Raw] | list[msgspec.Raw])
            key = int(place) if place else field or _first_unfit(inner)
            raw = bytes(inner[key])
        except (
            LookupError,
            TypeError,
            AttributeError,
            msgspec.MsgspecError,
        ):  # the field is there twice, and the other one is meant
            return said
        named += f"[{key}]" if place else f".{str(key)[:_NAME_SHOWN_MAX]}"
    return f"{named}`"


def _first_unfit(fields: dict[str, msgspec.Raw]) -> str:
    """The first field whose value the decoder takes for no type at all; LookupError if there is none."""
    for name, value in fields.items():
        try:
            msgspec.json.decode(value)
        except msgspec.ValidationError:
            return name
    raise LookupError


def _malformed(error: Exception, raw: bytes) -> Malformed:
    return Malformed(f"the body is not JSON that can be read: {_reason(error, raw)}")


async def read_fields(request: Asked, kind: type[T]) -> T:
    """The fields of a form, or of a JSON object, as a shape; BodyInvalid where they do not fit."""
    exchange = exchange_of(request)
    if not _FORM.fullmatch(exchange.headers.get(b"content-type", b"").strip()):
        return await read_json(request, msgspec.json.Decoder(kind).decode)
    sent = await read_body(exchange, request.receive, is_form=True)
    try:
        pairs = parse_qsl(sent.decode(), keep_blank_values=True, errors="strict", max_num_fields=100)
    except ValueError as error:
        raise Malformed("the body is not a form that can be read, in UTF-8") from error
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise Malformed("a field stands in the form more than once")
    try:
        return msgspec.convert(fields, kind, strict=False)
    except msgspec.ValidationError as error:
        raise BodyInvalid([_fault(str(error), kind)]) from None


async def read_body(exchange: Exchange, receive: Any, *, is_form: bool = False) -> bytes:
    """The bytes of a JSON body, or of a form; WrongMediaType or TooLarge before more than the limit is read."""
    _check_head(exchange, is_form=is_form)
    message = await receive()
    body: bytes = message.get("body", b"")
    if message.get("more_body"):
        body = await _read_rest(bytearray(body), receive)
    if len(body) > BODY_BYTES_MAX:
        raise TooLarge(f"the body is larger than {BODY_BYTES_MAX} bytes; send less at a time")
    return body


async def _read_rest(body: bytearray, receive: Any) -> bytes:
    more = True
    while more and len(body) <= BODY_BYTES_MAX:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Malformed("the connection ended within the body")
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return bytes(body)


def _check_head(exchange: Exchange, *, is_form: bool) -> None:
    headers = exchange.headers
    length = headers.get(b"content-length", b"0")
    if length.isdigit() and int(length) > BODY_BYTES_MAX:
        raise TooLarge(f"the body is larger than {BODY_BYTES_MAX} bytes; send less at a time")
    kind = headers.get(b"content-type")
    # The usual spelling is compared first: it is that of nearly all requests.
    if kind is not None and kind != b"application/json" and not is_form and not _JSON.fullmatch(kind.strip()):
        raise WrongMediaType("send the body as application/json, in UTF-8")
    if headers.get(b"content-encoding", b"identity") != b"identity":
        raise WrongMediaType("send the body without a content-encoding")


def _fault(message: str, shape: Any) -> FieldFault:
    found = _PLACE.fullmatch(message)
    what, place = (found[1], found[2] or "") if found else (message, "")
    allowed = choices(shape, place) if is_no_choice(what) else ()
    what = must_be_one_of(allowed) if allowed else in_our_words(what)
    named = _UNKNOWN.fullmatch(what) or _MISSING.fullmatch(what)
    if named:
        name = named[1][:_NAME_SHOWN_MAX]
        place = f"{place}.{name}" if place else name
        what = "is missing" if _MISSING.fullmatch(what) else "is no field here; leave it out"
    return FieldFault(place, f"{place}: {what}" if place else f"the body {what}")


def _reason(error: Exception, raw: bytes) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deep"
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8"
    if str(error) == TRUNCATED and (half := _HALF.search(raw, max(0, len(raw) - _HALF_WITHIN))):
        # The decoder looks for the other half beyond the end of the body.
        return f"half of a surrogate pair at byte {half.start()}; write both halves, or neither"
    return in_our_words(str(error))
