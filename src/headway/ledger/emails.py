"""E-mail addresses, in the one spelling by which accounts are found."""

import re
import unicodedata
from string import ascii_lowercase, ascii_uppercase
from typing import Final

import idna

from headway.domain.errors import Invalid

EMAIL_MAX: Final = 254
_LOWER: Final = str.maketrans(ascii_uppercase, ascii_lowercase)
_EMAIL: Final = re.compile(r"([^@\s]{1,64})@([^@\s]{1,253})")
# A dot-atom (RFC 5322), extended by RFC 6531: with quotes or comments allowed, one mailbox would have any number of
# addresses. A mail program takes `=?` for the beginning of an encoded word, and shows another address.
_ATOM: Final = r"[\w!#$%&'*+/=?^`{|}~\x80-\U0010ffff-]+"
_PLAIN_LOCAL: Final = re.compile(rf"(?!=\?){_ATOM}(\.{_ATOM})*")


def normalize_email(sent: str) -> str:
    """Return an address in its one spelling: trimmed, NFC, ASCII in lower case, the domain in IDNA 2008.

    Nothing else is unified: the owners of two mailboxes must not be taken for one. Raise Invalid for an address that is
    another spelling of a mailbox, or that no mail can reach.
    """
    email = known_spelling(sent)
    if not is_mailable(email):
        raise _invalid(
            "; before its @ stand letters, digits and any of !#$%&'*+-/=?^_`{|}~, with single dots in between"
        )
    return email


def is_mailable(email: str) -> bool:
    """Return whether a normalized address is the only one of its mailbox, and mail can be sent to it."""
    return _PLAIN_LOCAL.fullmatch(email.rpartition("@")[0]) is not None


def known_spelling(sent: str) -> str:
    """Normalize an address that an older account may have, from when comments and quotes were accepted."""
    email = sent.strip()
    found = _EMAIL.fullmatch(unicodedata.normalize("NFC", email).translate(_LOWER)) if _is_plain(email) else None
    if found is None:
        raise _invalid("")
    domain = _domain(found[2])
    if len(email := f"{found[1]}@{domain}") > EMAIL_MAX:
        raise _invalid("")
    return email


def _is_plain(email: str) -> bool:
    # In NFC a few characters become ASCII, such as the Kelvin sign: that would be another mailbox.
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
