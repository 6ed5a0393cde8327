"""A client's name in few words, by which people tell their sessions apart."""

import re
from typing import Final

NAME_MAX: Final = 60
# In this order: Edge and Opera say that they are Chrome, and Chrome says that it is Safari.
_BROWSERS: Final = (
    (re.compile(r"\bEdg(?:e|A|iOS)?/"), "Edge"),
    (re.compile(r"\b(?:OPR|Opera)/"), "Opera"),
    (re.compile(r"\bSamsungBrowser/"), "Samsung Internet"),
    (re.compile(r"\b(?:Firefox|FxiOS)/"), "Firefox"),
    (re.compile(r"\b(?:Chrome|CriOS|Chromium)/"), "Chrome"),
    (re.compile(r"\bSafari/"), "Safari"),
)
_SYSTEMS: Final = (
    (re.compile(r"\bWindows\b"), "Windows"),
    (re.compile(r"\biPhone\b"), "iPhone"),
    (re.compile(r"\biPad\b"), "iPad"),
    (re.compile(r"\bAndroid\b"), "Android"),
    (re.compile(r"\bCrOS\b"), "ChromeOS"),
    (re.compile(r"\bMac(?:intosh| OS X)\b"), "macOS"),
    (re.compile(r"\bLinux\b"), "Linux"),
)
_PRODUCT: Final = re.compile(r"[A-Za-z][A-Za-z0-9._-]*")


def name_of(user_agent: bytes | None) -> str | None:
    """A name such as "Firefox on Linux" or "curl"; None if the header names nothing that is known."""
    sent = (user_agent or b"").decode("latin-1")
    browser = next((name for pattern, name in _BROWSERS if pattern.search(sent)), None)
    if browser is None:
        product = _PRODUCT.match(sent)
        browser = product.group()[:NAME_MAX] if product and product.group() != "Mozilla" else None
    system = next((name for pattern, name in _SYSTEMS if pattern.search(sent)), None)
    if browser and system:
        return f"{browser} on {system}"
    return browser or system
