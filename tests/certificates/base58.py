"""Multibase base58btc read back, as whoever verifies a credential does."""

_LETTERS = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def read_multibase(text: str) -> bytes:
    """The bytes of `z…`; ValueError where it is none."""
    if not text.startswith("z"):
        raise ValueError("no multibase base58btc")
    number = 0
    for letter in text[1:]:
        number = number * 58 + _LETTERS.index(letter)
    zeros = len(text[1:]) - len(text[1:].lstrip("1"))
    return b"\0" * zeros + number.to_bytes((number.bit_length() + 7) // 8, "big")
