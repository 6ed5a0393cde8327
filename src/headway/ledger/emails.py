"""Addresses of mail, in the one spelling in which accounts are found by them."""

import re
import unicodedata
from string import ascii_lowercase, ascii_uppercase
from typing import Final

import idna

from headway.domain.errors import Invalid

EMAIL_MAX: Final = 254
_LOWER: Final = str.maketrans(ascii_uppercase, ascii_lowercase)
_EMAIL: Final = re.compile(r"([^@\s]{1,64})@([^@\s]{1,253})")


def normalize_email(sent: str) -> str:
    """One spelling for one address: trimmed, composed (NFC), ASCII without case, the domain as DNS has it (IDNA 2008).

    Nothing else is made the same: whoever has one of two mailboxes must not be taken for who has the other.
    """
    email = sent.strip()
    found = _EMAIL.fullmatch(unicodedata.normalize("NFC", email).translate(_LOWER)) if _is_plain(email) else None
    if found is None:
        raise _invalid("")
    domain = _domain(found[2])
    if len(email := f"{found[1]}@{domain}") > EMAIL_MAX:
        raise _invalid("")
    return email


def _is_plain(email: str) -> bool:
    # Composed, a few characters become ASCII, such as the sign of the unit Kelvin: other mailboxes again.
    becomes_ascii = any(not one.isascii() and unicodedata.normalize("NFC", one).isascii() for one in email)
    return email.isprintable() and not becomes_ascii and len(email) <= EMAIL_MAX


def _domain(sent: str) -> str:
    try:
        domain = idna.encode(sent).decode("ascii")
    except UnicodeError as error:
        raise _invalid("; there can be no such domain") from error
    if domain.endswith("."):
        raise _invalid("; there can be no such domain")
    return domain


def _invalid(why: str) -> Invalid:
    detail = f"email must be an address such as ada@example.org, of at most {EMAIL_MAX} characters{why}"
    return Invalid(detail, field="email")
