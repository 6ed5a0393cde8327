"""Addresses of mail: one spelling for one mailbox, and never one for two."""

from email.policy import EmailPolicy
from random import Random
from smtplib import quoteaddr

import pytest

from headway.domain.errors import Invalid
from headway.ledger.emails import known_spelling, normalize_email

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
# What a mail program writes to another mailbox than it says, or to none.
OTHER_SPELLINGS = [
    "ada(1)@example.org",
    "(x)ada@example.org",
    "ada()@example.org",
    '"ada"@example.org',
    '"a"da@example.org',
    "ad\\a@example.org",
    "ada.@example.org",
    ".ada@example.org",
    "a..da@example.org",
    "a,da@example.org",
    "a;da@example.org",
    "a:da@example.org",
    "<ada@example.org",
    "[ada]@example.org",
    "=?utf-8?q?ada?=@example.org",
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


@pytest.mark.parametrize("sent", OTHER_SPELLINGS)
def test_no_account_begins_with_an_address_that_only_spells_another_and_one_from_before_still_signs_in(
    sent: str,
) -> None:
    with pytest.raises(Invalid, match="before its @ stand letters") as refusal:
        normalize_email(sent)
    assert refusal.value.field == "email"
    assert known_spelling(sent) == sent


def test_whatever_is_taken_is_written_to_as_it_is_spelled() -> None:
    random, taken = Random(3), 0
    letters = "ab.\"\\()<>,;:[]\u00e9-_+='%0!`{}|~?#$&*/^\u2167"
    for _ in range(20_000):
        sent = "".join(random.choices(letters, k=random.randint(1, 4))) + "@" + "".join(random.choices("ab.-()", k=3))
        try:
            email = normalize_email(sent)
        except Invalid:
            continue
        taken += 1
        header = EmailPolicy(utf8=True).header_factory("to", email)
        assert (quoteaddr(email), str(header.addresses[0].addr_spec)) == (f"<{email}>", email)
    assert taken > 500
