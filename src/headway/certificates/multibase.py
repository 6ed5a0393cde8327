"""Multibase base58btc, in which Data Integrity writes keys and signatures."""

from typing import Final

_LETTERS: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def write_multibase(raw: bytes) -> str:
    """Bytes in base58btc, with its prefix `z`."""
    number, digits = int.from_bytes(raw, "big"), []
    while number:
        number, digit = divmod(number, 58)
        digits.append(_LETTERS[digit])
    # A number drops leading zero bytes; each is written as a 1.
    zeros = len(raw) - len(raw.lstrip(b"\0"))
    return "z" + "1" * zeros + "".join(reversed(digits))
