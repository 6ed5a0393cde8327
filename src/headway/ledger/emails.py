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
# A dot-atom (RFC 5322), with what else RFC 6531 allows: quoted or with a comment in it, one mailbox has any number of
# addresses. A program that reads mail takes `=?` for the beginning of an encoded word, and says another address.
_ATOM: Final = r"[\w!#$%&'*+/=?^`{|}~\x80-\U0010ffff-]+"
_PLAIN_LOCAL: Final = re.compile(rf"(?!=\?){_ATOM}(\.{_ATOM})*")


def normalize_email(sent: str) -> str:
    """One spelling for one address: trimmed, composed (NFC), ASCII without case, the domain as DNS has it (IDNA 2008).

    Nothing else is made the same: whoever has one of two mailboxes must not be taken for who has the other. Nor is any
    address taken that only spells another one's mailbox, or that no mail can reach.
    """
    email = known_spelling(sent)
    if not is_mailable(email):
        raise _invalid(
            "; before its @ stand letters, digits and any of !#$%&'*+-/=?^_`{|}~, with single dots in between"
        )
    return email


def is_mailable(email: str) -> bool:
    """Whether an address, in its one spelling, is the only one of its mailbox, and one to write to."""
    return _PLAIN_LOCAL.fullmatch(email.rpartition("@")[0]) is not None


def known_spelling(sent: str) -> str:
    """The same of an address that an account may have from before, when comments and quotes in it were taken."""
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
