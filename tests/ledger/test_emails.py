"""Addresses of mail: one spelling for one mailbox, and never one for two."""

import pytest

from headway.domain.errors import Invalid
from headway.ledger.emails import normalize_email

SAME = {
    " Ada@Example.ORG\n": "ada@example.org",
    "ada@B\u00fccher.example": "ada@xn--bcher-kva.example",
    "ada@bu\u0308cher.example": "ada@xn--bcher-kva.example",
    "ada@XN--BCHER-KVA.example": "ada@xn--bcher-kva.example",
    "ad\u0065\u0301@example.org": "ad\u00e9@example.org",
    "user@stra\u00dfe.de": "user@xn--strae-oqa.de",
    "user@localhost": "user@localhost",
}
# Mailboxes that are not the same, whatever Unicode says of their letters.
APART = [
    ("user@strasse.de", "user@stra\u00dfe.de"),
    ("strasse@example.org", "stra\u00dfe@example.org"),
    ("sam@example.org", "\u017fam@example.org"),
    ("sam@ex.org", "sam@ex.\u01ff\u0072g"),
    ("ren\u00e9@example.org", "REN\u00c9@example.org"),
    ("user@\u03c3.gr", "user@\u03c2.gr"),
]
NONE = [
    "kim@\u017fample.org",
    "\u212aim@example.org",
    "ada@\u212ample.org",
    "ada@a_b.example",
    "ada@-a.example",
    "ada@a..b",
    "ada@example.org.",
    "ada@\u2603.example",
    "ada@B\u00dcCHER.example",
    "ada@xn--zzzz.example",
    "ada@" + "a" * 64 + ".org",
    "a" * 60 + "@" + "\u00fc".join(["a" * 20] * 3) + ("." + "b" * 50) * 3,
    "a\u202eb@example.org",
    "\ud800@example.org",
    "ada@\ud800.org",
]


@pytest.mark.parametrize(("sent", "kept"), SAME.items())
def test_spellings_of_one_mailbox_are_one(sent: str, kept: str) -> None:
    assert normalize_email(sent) == kept
    assert normalize_email(kept) == kept


@pytest.mark.parametrize("both", APART)
def test_two_mailboxes_are_never_one(both: tuple[str, str]) -> None:
    assert len({normalize_email(one) for one in both}) == 2


@pytest.mark.parametrize("sent", NONE)
def test_an_address_that_no_mail_can_reach_is_none(sent: str) -> None:
    with pytest.raises(Invalid) as refusal:
        normalize_email(sent)
    assert refusal.value.field == "email"
