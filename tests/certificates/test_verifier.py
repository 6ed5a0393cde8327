"""A verifier that others wrote takes our credentials and refuses what was changed: npm's @digitalbazaar/vc, offline."""

import copy
import json
import subprocess
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from headway.certificates.credential import signed_credential, signed_status
from headway.certificates.facts import CertificateFacts
from headway.certificates.integrity import CREDENTIALS, OPEN_BADGES, _read
from headway.certificates.issuer import PublicKey, issuer_document
from tests.certificates.samples import FACTS, ID, ISSUER, REVOKED, SIGNER, signer_from
from tests.npm import installed, tool

FOLDER = Path(__file__).parents[1] / "verifier"
# Terms of https://www.w3.org/ns/cid/v1, which the verifier reads of the issuer's document: W3C's, not byte for byte.
CONTROLLED = json.loads((FOLDER / "cid-v1.json").read_text("utf-8"))
CONTEXTS = {
    CREDENTIALS: _read(CREDENTIALS),
    OPEN_BADGES: _read(OPEN_BADGES),
    "https://www.w3.org/ns/cid/v1": CONTROLLED,
}
KEYS = (PublicKey(SIGNER.id, None),)
ODD_NAMES = (
    '"quoted" \\ back',
    "山田 太郎 🚀",
    "a\tb\nc\x00\x7f\x85",
    "דוד\u202eabc",
    "ن\u200cن",
    "<b>&amp;\u00ad\ufeff\u2028",
)


class Judgment(NamedTuple):
    """What the verifier says; `revoked` is None where it did not come to look."""

    verified: bool
    revoked: bool | None
    errors: list[str]

    @property
    def is_taken(self) -> bool:
        return self.verified and self.revoked is False


@cache
def ready() -> None:
    installed(FOLDER, "the verifier of credentials")


def judged(cases: Iterable[Mapping[str, Any]]) -> list[Judgment]:
    ready()
    lines = "\n".join(json.dumps(one) for one in cases)
    command = [tool("node"), str(FOLDER / "verify.mjs")]
    done = subprocess.run(command, input=lines, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 0, done.stderr
    return [Judgment(**json.loads(line)) for line in done.stdout.splitlines()]


def case(
    facts: CertificateFacts = FACTS,
    *,
    credential: Mapping[str, Any] | None = None,
    keys: Iterable[PublicKey] = KEYS,
    **without: bool,
) -> dict[str, Any]:
    """What somebody has who verifies: the credential, and the documents that it leads to."""
    status = signed_status(facts, ISSUER, SIGNER, asked=facts.id)
    documents = CONTEXTS | {ISSUER.id: issuer_document(ISSUER, keys), status["id"]: status}
    if without.get("no_keys"):
        del documents[ISSUER.id]
    if without.get("no_status"):
        del documents[status["id"]]
    return {"documents": documents, "credential": credential or signed_credential(facts, ISSUER, SIGNER)}


def with_change(change: Any) -> dict[str, Any]:
    credential = copy.deepcopy(signed_credential(FACTS, ISSUER, SIGNER))
    change(credential)
    return case(credential=credential)


def set_score(credential: Any) -> None:
    credential["credentialSubject"]["result"][0]["value"] = "100"


def set_name(credential: Any) -> None:
    credential["credentialSubject"]["identifier"][0]["identityHash"] = "Eve"


def set_date(credential: Any) -> None:
    credential["validFrom"] = "2026-02-01T09:30:00Z"


def set_id(credential: Any) -> None:
    credential["id"] = credential["id"].replace(ID, "0b9f0f3e-5a44-4c6c-9d0e-2f3f0a4d7c12")


def set_subject(credential: Any) -> None:
    credential["credentialSubject"]["id"] = "urn:uuid:0b9f0f3e-5a44-4c6c-9d0e-2f3f0a4d7c12"


def set_course(credential: Any) -> None:
    credential["credentialSubject"]["achievement"]["name"] = "Brain surgery"


def set_issuer(credential: Any) -> None:
    credential["issuer"]["id"] = "https://elsewhere.example.org/issuer"


def drop_status(credential: Any) -> None:
    del credential["credentialStatus"]


def drop_proof(credential: Any) -> None:
    del credential["proof"]


def add_a_claim(credential: Any) -> None:
    credential["credentialSubject"]["role"] = "teacher"


def date_the_proof(credential: Any) -> None:
    credential["proof"]["created"] = "2026-02-01T09:30:00Z"


CHANGES = (
    set_score,
    set_name,
    set_date,
    set_id,
    set_subject,
    set_course,
    set_issuer,
    drop_status,
    drop_proof,
    add_a_claim,
    date_the_proof,
)


def test_credentials_are_taken() -> None:
    sound = [FACTS, FACTS._replace(learner_name=None), *(FACTS._replace(learner_name=name) for name in ODD_NAMES)]
    sound.append(FACTS._replace(course_title="Zitate: \"so\" & 'so' \\ 100 %", score=1_000_000, run=2))
    found = judged(map(case, sound))
    assert [(one.is_taken, one.errors) for one in found] == [(True, [])] * len(sound)


def test_a_key_from_before_is_taken_beside_the_one_that_signs_now() -> None:
    assert [one.is_taken for one in judged([case(keys=[PublicKey(signer_from(2).id, None), *KEYS])])] == [True]


def test_whatever_is_changed_is_refused() -> None:
    found = judged(with_change(change) for change in CHANGES)
    assert [one.is_taken for one in found] == [False] * len(CHANGES)
    assert all(one.errors for one in found)


def test_another_key_a_retired_one_and_missing_keys_are_refused() -> None:
    stranger = signer_from(2)
    forged = signed_credential(FACTS, ISSUER, stranger)
    renamed = {**forged, "proof": {**forged["proof"], "verificationMethod": f"{ISSUER.id}#{SIGNER.id}"}}
    cases = [
        case(credential=forged),
        case(credential=renamed),
        case(keys=[PublicKey(SIGNER.id, FACTS.issued_at)]),
        case(keys=[]),
        case(no_keys=True),
    ]
    found = judged(cases)
    assert [one.is_taken for one in found] == [False] * len(cases)
    assert any("not authorized" in error for error in found[2].errors)


def test_a_revoked_one_is_known_by_its_status_and_nothing_is_taken_without() -> None:
    revoked = case(REVOKED)
    # The list of another certificate says nothing of this one, nor does one that somebody else signed.
    forged = case(REVOKED)
    status = signed_status(FACTS, ISSUER, signer_from(2), asked=ID)
    forged["documents"][status["id"]] = status
    found = judged([revoked, case(no_status=True), forged])
    assert (found[0].verified, found[0].revoked) == (True, True)
    assert [one.is_taken for one in found] == [False, False, False]


@pytest.mark.parametrize("address", list(CONTEXTS))
def test_nothing_is_fetched(address: str) -> None:
    """The verifier has no network; what it is not given, it does not have."""
    one = case()
    del one["documents"][address]
    assert not judged([one])[0].verified
