"""The drawings of badges: a frame for each tier, a sign for each category, both drawn by hand."""

from collections.abc import Mapping
from functools import cache
from itertools import product
from typing import Final, NamedTuple

from headway.domain.achievements import CATEGORIES, TIERS


class _Metal(NamedTuple):
    """The colors of a tier: light to dark of its face, its rim, and its sign."""

    light: str
    dark: str
    rim: str
    sign: str


_METALS: Final[Mapping[str, _Metal]] = {
    "bronze": _Metal("#d8935a", "#9a5827", "#74401b", "#fff6ec"),
    "silver": _Metal("#b3c0cd", "#6f8091", "#55636f", "#ffffff"),
    "gold": _Metal("#f0bb3a", "#b9780c", "#92600a", "#fffbea"),
    "platinum": _Metal("#6cc9d8", "#3d6cc4", "#2f4a94", "#f5fdff"),
}
_LOCKED: Final = _Metal("#b4bac1", "#8b929a", "#6a7178", "#e9ecef")
# Each in a square of 128, centered at 64, 64.
_FRAMES: Final[Mapping[str, str]] = {
    "bronze": "M64 8a56 56 0 1 1 0 112A56 56 0 1 1 64 8Z",
    "silver": "M57.500 9.800q6.500-3.700 13 0l36.500 21q6.500 3.800 6.500 11.300v43.800q0 7.500-6.500 11.300l"
    "-36.500 21"
    "q-6.500 3.700-13 0l-36.500-21q-6.500-3.800-6.500-11.300V42.100q0-7.500 6.500-11.300Z",
    "gold": "M64.0 11.0A16 16 0 0 1 90.5 18.1A16 16 0 0 1 109.9 37.5A16 16 0 0 1 117.0 64.0A16 16 0 0 1 109.9"
    " 90.5A16 16 0 0 1 90.5 109.9A16 16 0 0 1 64.0 117.0"
    "A16 16 0 0 1 37.5 109.9A16 16 0 0 1 18.1 90.5A16 16 0 0 1 11.0 64.0A16 16 0 0 1 18.1 37.5A16 16 0 0"
    " 1 37.5 18.1A16 16 0 0 1 64.0 11.0Z",
    "platinum": "M64 5c14 10 31 15 48 15 4 0 6 2 6 6v38c0 28-22 48-50 58.500a11 11 0 0 1-8 0C32 112 10 92 10 64V26"
    "c0-4 2-6 6-6 17 0 34-5 48-15Z",
}
_SIGNS: Final[Mapping[str, str]] = {
    # A sprout.
    "first_steps": '<path d="M64 94V62" {line}/><path d="M64 66c0-16 11-25 28-25 0 17-11 26-28 25Z" {area}/>'
    '<path d="M64 76c0-13-9-21-24-21 0 15 9 22 24 21Z" {area}/><path d="M46 94h36" {line}/>',
    # A dumbbell.
    "practice": '<g transform="rotate(-35 64 64)"><path d="M44 64h40" {line}/>'
    '<path d="M34 46h4a6 6 0 0 1 6 6v24a6 6 0 0 1-6 6h-4a6 6 0 0 1-6-6V52a6 6 0 0 1 6-6Z" {area}/>'
    '<path d="M90 46h4a6 6 0 0 1 6 6v24a6 6 0 0 1-6 6h-4a6 6 0 0 1-6-6V52a6 6 0 0 1 6-6Z" {area}/>'
    '<path d="M24 56v16M104 56v16" {line}/></g>',
    # A star.
    "mastery": '<path d="M64 32c1.600 0 2.800 1 3.500 2.600l7.600 16.400 17.900 2.300c3.600.5 5 4.600 2.400'
    " 7.100L82.200 72.800l3.400 17.800"
    "c.7 3.500-2.900 6.100-6 4.400L64 86.300 48.400 95c-3.100 1.700-6.700-.9-6-4.400l3.400-17.800-13.200"
    "-12.400c-2.600-2.500-1.200-6.600 2.400-7.100"
    'L52.900 51l7.600-16.400C61.200 33 62.400 32 64 32Z" {area}/>',
    # A flame.
    "streaks": '<path d="M67 28c3 13 23 22 23 44 0 15-11 26-26 26S38 87 38 72c0-10 6-17 11-24 1 7 3 10 7 12'
    ' 1-13 3-23 11-32Z" {area}/><path d="M64 66c1 6 10 9 10 18 0 6-4 10-10 10s-10-4-10-10c0-8 8-10 10'
    '-18Z" fill="{face}"/>',
    # An open book.
    "courses": '<path d="M60 44c-8-6-18-8-28-7a3 3 0 0 0-3 3v42a3 3 0 0 0 3 3c10-1 19 1 28 7Z" {area}/>'
    '<path d="M68 44c8-6 18-8 28-7a3 3 0 0 1 3 3v42a3 3 0 0 1-3 3c-10-1-19 1-28 7Z" {area}/>',
    # A moon, and a star beside it.
    "hours": '<path d="M58 30a35 35 0 1 0 40 47A30 30 0 0 1 58 30Z" {area}/>'
    '<path d="M88 32l3.600 8.900 8.900 3.600-8.900 3.600L88 57l-3.600-8.900-8.900-3.600 8.900-3.600Z" {area}/>',
    # A mountain with a flag.
    "persistence": '<path d="M26 94l28-44c2-3 6-3 8 0l9 14 5-7c2-3 5-3 7 0l23 37Z" {area}/>'
    '<path d="M58 50V30" {line}/><path d="M59 28l19 7-19 8Z" {area}/>',
}


@cache
def drawings() -> Mapping[str, bytes]:
    """All drawings as SVG, by name: `practice-gold`, and `practice-gold-locked` of one that is not earned."""
    found: dict[str, bytes] = {}
    for category, tier in product(CATEGORIES, TIERS):
        found[name_of(category, tier)] = _drawn(category, tier, _METALS[tier])
        found[name_of(category, tier, locked=True)] = _drawn(category, tier, _LOCKED)
    return found


def name_of(category: str, tier: str, *, locked: bool = False) -> str:
    """The name of a drawing."""
    return f"{category.replace('_', '-')}-{tier}{'-locked' if locked else ''}"


def _drawn(category: str, tier: str, metal: _Metal) -> bytes:
    line = f'fill="none" stroke="{metal.sign}" stroke-width="7" stroke-linecap="round"'
    sign = _SIGNS[category].format(line=line, area=f'fill="{metal.sign}"', face=metal.dark)
    frame = _FRAMES[tier]
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="-4 -4 136 136" width="136" height="136" aria-hidden="true">'
        f'<linearGradient id="f" x1="0" y1="0" x2=".5" y2="1"><stop stop-color="{metal.light}"/>'
        f'<stop offset="1" stop-color="{metal.dark}"/></linearGradient>'
        f'<path d="{frame}" fill="url(#f)" stroke="{metal.rim}" stroke-width="5" stroke-linejoin="round"/>'
        f'<path d="{frame}" fill="none" stroke="#fff" stroke-opacity=".45" stroke-width="3"'
        ' transform="translate(64 64) scale(.86) translate(-64 -64)"/>'
        f'<g transform="translate(64 64) scale(.8) translate(-64 -64)" stroke-linejoin="round">{sign}</g></svg>'
    ).encode()
