"""Multibase base58btc, the way that Data Integrity writes keys and signatures."""

from typing import Final

_LETTERS: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def write_multibase(raw: bytes) -> str:
    """Bytes in base58btc, with its prefix `z`."""
    number, digits = int.from_bytes(raw, "big"), []
    while number:
        number, digit = divmod(number, 58)
        digits.append(_LETTERS[digit])
    # Zeros in front are lost in a number; each is a 1.
    zeros = len(raw) - len(raw.lstrip(b"\0"))
    return "z" + "1" * zeros + "".join(reversed(digits))
