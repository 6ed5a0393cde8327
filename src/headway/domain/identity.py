"""Rules for the passwords and names of accounts; their roles, and the scopes of tokens."""

import unicodedata
from typing import Final

from headway.domain.errors import Invalid

ROLES: Final = ("creator", "admin")
# The scopes of a personal access token: read, write, publish courses.
SCOPES: Final = ("read", "write", "creator")
PASSWORD_MIN, PASSWORD_MAX = 8, 256
NAME_MAX: Final = 200
# Zero-width non-joiner and joiner: unseen by themselves, yet Persian and Indic names and many emoji need them.
_JOINERS: Final = {0x200C: None, 0x200D: None}


def check_password(sent: str) -> str:
    """A new password as it stands; Invalid where it is too short or too long."""
    if not PASSWORD_MIN <= len(sent) <= PASSWORD_MAX:
        raise Invalid(f"password must have {PASSWORD_MIN} to {PASSWORD_MAX} characters", field="password")
    return sent


def check_name(sent: str | None, field: str = "display_name") -> str | None:
    """A name trimmed and in NFC, with plain spaces; None where it is blank, Invalid where it cannot be a name."""
    # Any kind of space is a plain one: a Japanese keyboard or a word processor puts other kinds into names.
    spaced = "".join(" " if unicodedata.category(one) == "Zs" else one for one in sent or "")
    name = unicodedata.normalize("NFC", spaced.strip())
    seen = name.translate(_JOINERS)
    if not seen:
        return None
    if len(name) > NAME_MAX or not seen.isprintable():
        raise Invalid(f"{field} must be at most {NAME_MAX} printable characters", field=field)
    return name
