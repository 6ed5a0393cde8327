"""A certificate as a PDF: a page of A4, set by typst with its own fonts, the same bytes for the same facts."""

import json
from functools import lru_cache
from hashlib import sha256
from importlib.metadata import version
from importlib.resources import files
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final
from unicodedata import combining

from headway.certificates.facts import CertificateFacts, Issuer, day_text, plain
from headway.domain.times import SECOND

if TYPE_CHECKING:
    import typst

NAMELESS: Final = "a learner without a name"
_TEMPLATE: Final = files("headway.certificates").joinpath("certificate.typ").read_bytes()
# For archiving (PDF/A-2a) and accessibility (PDF/UA-1); both refuse a page with a character that no font has.
_STANDARDS: Final[list[Any]] = ["a-2a", "ua-1"]
_LACKING: Final = "\u25a1"
# Longer words than any language has are broken anywhere.
_WORD_MAX: Final = 32
_BREAK: Final = "\u200b"
# The width of a line, in units by which the address's length gives its font size in points.
_ADDRESS_LINE: Final = 870
_REASON_SHORT: Final = 250
_SAID_OF_LACKING: Final = f"{_LACKING} is a character that this page has no font for; the address below shows it."


@lru_cache(maxsize=1)
def made_by() -> str:
    """What a page depends on besides its facts: the version of typst, and the template's hash."""
    return f"{version('typst')} {sha256(_TEMPLATE).hexdigest()}"


def certificate_pdf(facts: CertificateFacts, issuer: Issuer, font_folder: str | None = None) -> bytes:
    """The page; `font_folder` holds more fonts, for characters that typst's own fonts lack.

    A character that no font has becomes an empty box, and the page says so, and where the true text can be read.
    """
    from typst import TypstError  # noqa: PLC0415  # 80 MB to load, and seldom needed

    shown = _Shown(font_folder)
    try:
        return _set(_page(facts, issuer, shown), facts, font_folder)
    except TypstError:
        # Each character has a font, but not in this combination, such as a combining mark without its letter.
        return _set(_page(facts, issuer, _Shown(None, ascii_only=True)), facts, font_folder)


class _Shown:
    """Texts as the fonts can show them, and whether anything was lacking."""

    def __init__(self, font_folder: str | None, *, ascii_only: bool = False) -> None:
        self._font_folder = font_folder
        self._ascii_only = ascii_only
        self.lacks = False

    def text(self, text: str) -> str:
        shown = "".join(one if self._has(one) else _LACKING for one in plain(text))
        self.lacks = self.lacks or shown != plain(text)
        return " ".join(_breakable(word) for word in shown.split(" "))

    def _has(self, character: str) -> bool:
        return character.isascii() or (not self._ascii_only and is_shown(character, self._font_folder))


def _breakable(word: str) -> str:
    if len(word) <= _WORD_MAX:
        return word
    return "".join(one if combining(one) else _BREAK + one for one in word).removeprefix(_BREAK)


def _page(facts: CertificateFacts, issuer: Issuer, shown: _Shown) -> dict[str, Any]:
    address = issuer.page(facts.id)
    name, course = shown.text(facts.learner_name or NAMELESS), shown.text(facts.course_title)
    revoked = (
        None if facts.revoked_at is None else _revocation(facts.revoked_at, shown.text(facts.revoked_reason or ""))
    )
    return {
        "document_title": f"Certificate {facts.id}",
        "issuer": shown.text(issuer.name),
        "heading": "Certificate of completion",
        "before_name": "This certifies that",
        "name": name,
        "before_course": "has completed the course",
        "course": course,
        "facts": [
            ("Score", f"{facts.score_text} %"),
            ("Issued", day_text(facts.issued_at)),
            *([("Run", str(facts.run))] if facts.run > 1 else []),
            ("Certificate", facts.id),
        ],
        "verify": "Verify it at",
        "address": address,
        # Sized to fit on one line, so that it can be copied.
        "address_size": min(9, _ADDRESS_LINE / len(address)),
        "qr": _qr(address),
        "qr_says": f"QR code of {address}",
        "lacking": _SAID_OF_LACKING if shown.lacks else None,
        "revoked": revoked,
    }


def _revocation(at: int, reason: str) -> dict[str, Any]:
    return {
        "heading": f"Revoked on {day_text(at)}.",
        "reason": reason,
        "size": 10 if len(reason) <= _REASON_SHORT else 6,
    }


def _set(page: dict[str, Any], facts: CertificateFacts, font_folder: str | None) -> bytes:
    inputs = {"certificate": json.dumps(page)}
    return _compiled(_TEMPLATE, inputs, font_folder, at=facts.issued_at // SECOND)


@lru_cache(maxsize=4096)
def is_shown(character: str, font_folder: str | None = None) -> bool:
    """Whether any font has the character."""
    from typst import TypstError  # noqa: PLC0415  # as above

    probe = b'#set document(title: "x")\n#sys.inputs.text'
    try:
        _compiled(probe, {"text": f"a{character}a"}, font_folder, at=0)
    except TypstError:
        return False
    return True


def _compiled(source: bytes, inputs: dict[str, str], font_folder: str | None, *, at: int) -> bytes:
    from typst import Compiler  # noqa: PLC0415  # as above

    compiler = Compiler(font_paths=_fonts(font_folder), sys_inputs=inputs)
    made = compiler.compile(source, format="pdf", pdf_standards=_STANDARDS, timestamp=at)
    if not isinstance(made, bytes):
        raise TypeError("typst gave no page")
    return made


@lru_cache(maxsize=2)
def _fonts(font_folder: str | None) -> "typst.Fonts":
    from typst import Fonts  # noqa: PLC0415  # as above

    return Fonts(include_system_fonts=False, font_paths=[font_folder] if font_folder else [])


def _qr(address: str) -> str:
    import segno  # noqa: PLC0415  # seldom needed

    drawn = BytesIO()
    segno.make_qr(address, error="m").save(drawn, kind="svg", border=2, dark="#1a2230", xmldecl=False)
    return drawn.getvalue().decode()
