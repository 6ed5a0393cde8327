"""The badge of a shared page, for a readme or another site: drawn here, for light and dark backgrounds."""

from html import escape
from typing import Final

_HEIGHT: Final = 28
_EDGE: Final = 10
_SIGN: Final = 22
# Some letters are half as wide as others; the text is fitted to the width that is worked out here.
_NARROW: Final = frozenset("ijlftrI.,:;'|! ()[]1")
_WIDE: Final = frozenset("mwMWQOCGD@%")
# A flame, and an open book, in a square of 16.
FLAME: Final = (
    "M8.400 1c.4 2 3.600 3.700 3.600 7.300A4 4 0 0 1 8 12.500a4 4 0 0 1-4-4.100c0-1.800 1-3 1.900-4.200"
    " .2 1 .5 1.600 1.100 2C7.100 4 7.400 2.400 8.400 1Z"
)
BOOK: Final = (
    "M7.400 3.200C5.900 2.200 4 2 2 2.200v9c2-.2 3.900 0 5.400 1Z"
    "M8.600 3.200c1.500-1 3.400-1.200 5.400-1v9c-2-.2-3.900 0-5.400 1Z"
)


def drawn(sign: str, label: str, value: str) -> bytes:
    """The badge as SVG: a sign, what it is about, and its value."""
    # Bold text is a tenth wider.
    bold = round(_width(value) * 1.1)
    left, right = _SIGN + _EDGE + _width(label) + _EDGE // 2, bold + 2 * _EDGE
    whole, said = left + right, escape(f"{label}: {value}")
    at, by = _SIGN + _EDGE - 2, left + _EDGE
    font = 'font-family="system-ui,-apple-system,\'Segoe UI\',Roboto,sans-serif" font-size="13"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{whole}" height="{_HEIGHT}" viewBox="0 0 {whole} {_HEIGHT}"'
        f' role="img" aria-label="{said}"><title>{said}</title>'
        f'<clipPath id="c"><rect width="{whole}" height="{_HEIGHT}" rx="6"/></clipPath><g clip-path="url(#c)">'
        f'<rect width="{left}" height="{_HEIGHT}" fill="#1f2a37"/>'
        f'<rect x="{left}" width="{right}" height="{_HEIGHT}" fill="#0b6e5f"/></g>'
        f'<path transform="translate(8 7)" fill="#5fd0bb" d="{sign}"/>'
        f'<g {font} fill="#fff"><text x="{at}" y="18.500" textLength="{_width(label)}">{escape(label)}</text>'
        f'<text x="{by}" y="18.500" font-weight="650" textLength="{bold}">{escape(value)}</text></g></svg>'
    ).encode()


def _width(text: str) -> int:
    """How wide a text is drawn, in pixels."""
    return round(sum(4 if one in _NARROW else 11 if one in _WIDE else 7.5 for one in text))
