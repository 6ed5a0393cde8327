"""The credential, verified here by its definition: whatever of it is changed, it is not the issuer's any more."""

import copy
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pyld import jsonld

from headway.certificates.credential import Signer, signed_credential, signed_status, status_list
from headway.certificates.facts import CertificateFacts, plain
from headway.certificates.integrity import _load
from headway.certificates.issuer import PublicKey, issuer_document
from tests.certificates.base58 import read_multibase
from tests.certificates.samples import FACTS, ID, ISSUER, REVOKED, SIGNER, signer_from

DOCUMENT = issuer_document(ISSUER, [PublicKey(SIGNER.id, None)])


def signed(facts: CertificateFacts = FACTS, signer: Signer = SIGNER) -> dict[str, Any]:
    return signed_credential(facts, ISSUER, signer)


def statements(document: Mapping[str, Any]) -> bytes:
    options = {"algorithm": "URDNA2015", "format": "application/n-quads", "documentLoader": _load}
    return sha256(str(jsonld.normalize(dict(document), options)).encode()).digest()


def check(credential: Mapping[str, Any], document: Mapping[str, Any] = DOCUMENT) -> None:
    """Verify as W3C's Data Integrity says (eddsa-rdfc-2022, 3.2.2): raises where it is not the issuer's."""
    proof = dict(credential["proof"])
    signature = read_multibase(proof.pop("proofValue"))
    assert (proof["type"], proof["cryptosuite"], proof["proofPurpose"]) == (
        "DataIntegrityProof",
        "eddsa-rdfc-2022",
        "assertionMethod",
    )
    issuer = credential["issuer"] if isinstance(credential["issuer"], str) else credential["issuer"]["id"]
    assert issuer == document["id"]
    method = next(one for one in document["verificationMethod"] if one["id"] == proof["verificationMethod"])
    assert method["id"] in document["assertionMethod"], "the key speaks for nobody"
    unsigned = {name: value for name, value in credential.items() if name != "proof"}
    data = statements({"@context": credential["@context"], **proof}) + statements(unsigned)
    key = Ed25519PublicKey.from_public_bytes(read_multibase(method["publicKeyMultibase"])[2:])
    key.verify(signature, data)


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every text and every flag of a document."""
    if isinstance(value, dict | list):
        for name, part in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(part, (*path, name))
    else:
        yield path


def changed(document: dict[str, Any], path: tuple[Any, ...]) -> dict[str, Any]:
    made = copy.deepcopy(document)
    place: Any = made
    for name in path[:-1]:
        place = place[name]
    old = place[path[-1]]
    place[path[-1]] = not old if isinstance(old, bool) else other(old)
    return made


def other(text: str) -> str:
    """Another text that means something else: a type becomes another, a number another."""
    types = {"VerifiableCredential": "VerifiablePresentation"}
    return types.get(text) or text[:-1] + ("1" if text[-1] != "1" else "2")


@pytest.mark.parametrize(
    "document", [signed(), signed_status(FACTS, ISSUER, SIGNER, asked=ID)], ids=["badge", "status"]
)
def test_it_verifies_and_nothing_of_it_can_be_changed(document: dict[str, Any]) -> None:
    check(document)
    paths = [path for path in leaves(document) if path[0] != "@context"]
    assert len(paths) > 12
    for path in paths:
        with pytest.raises((InvalidSignature, AssertionError, StopIteration, ValueError)):
            check(changed(document, path))


def test_whatever_of_the_facts_is_another_the_signature_is_another() -> None:
    others = [
        FACTS._replace(score=874_900),
        FACTS._replace(learner_name="Ada Byron"),
        FACTS._replace(learner_name=None),
        FACTS._replace(issued_at=FACTS.issued_at + 1_000_000),
        FACTS._replace(id="0b9f0f3e-5a44-4c6c-9d0e-2f3f0a4d7c12"),
        FACTS._replace(course_id="python-more"),
        FACTS._replace(course_title="Python"),
    ]
    values = {signed(one)["proof"]["proofValue"] for one in [FACTS, *others]}
    assert len(values) == len(others) + 1
    for one in others:
        with pytest.raises(InvalidSignature):
            check({**signed(one), "proof": signed()["proof"]})


def test_another_key_is_not_believed() -> None:
    stranger = signer_from(2)
    forged = signed(signer=stranger)
    with pytest.raises(StopIteration):
        check(forged)
    with pytest.raises(InvalidSignature):
        check({**forged, "proof": {**forged["proof"], "verificationMethod": signed()["proof"]["verificationMethod"]}})


def test_an_older_key_goes_on_to_verify_and_a_retired_one_does_not() -> None:
    newer = PublicKey(signer_from(2).id, None)
    check(signed(), issuer_document(ISSUER, [newer, PublicKey(SIGNER.id, None)]))
    retired = issuer_document(ISSUER, [newer, PublicKey(SIGNER.id, FACTS.issued_at)])
    assert [one.get("revoked") for one in retired["verificationMethod"]] == [None, "2026-03-01T09:30:00Z"]
    with pytest.raises(AssertionError, match="speaks for nobody"):
        check(signed(), retired)


def test_it_is_the_same_each_time_and_in_another_process() -> None:
    told = json.dumps(signed(), sort_keys=True)
    assert json.dumps(signed(), sort_keys=True) == told
    code = (
        "import json; from tests.certificates.test_credential import signed;print(json.dumps(signed(), sort_keys=True))"
    )
    again = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert again.stdout.strip() == told


def test_the_proof_is_of_the_certificates_time_or_of_its_keys_where_that_is_younger() -> None:
    assert signed()["proof"]["created"] == signed()["validFrom"] == "2026-03-01T09:30:00Z"
    younger = signed(signer=signer_from(1, made_at=FACTS.issued_at + 3_600_000_000))
    assert younger["proof"]["created"] == "2026-03-01T10:30:00Z"
    check(younger)


def test_it_names_the_learner_and_nothing_else_of_them() -> None:
    subject = signed()["credentialSubject"]
    assert subject["id"] == f"urn:uuid:{ID}"
    assert subject["identifier"] == [
        {"type": "IdentityObject", "hashed": False, "identityHash": "Ada Lovelace", "identityType": "name"}
    ]
    assert "identifier" not in signed(FACTS._replace(learner_name=None))["credentialSubject"]
    assert "identifier" not in signed(FACTS._replace(learner_name=" \u200b "))["credentialSubject"]


@pytest.mark.parametrize(
    ("score", "text"),
    [(1_000_000, "100"), (875_000, "87.5"), (799_950, "80"), (799_949, "79.99"), (0, "0"), (999_999, "99.99")],
)
def test_the_score_is_in_percent(score: int, text: str) -> None:
    facts = FACTS._replace(score=score)
    assert facts.score_text == text
    assert signed(facts)["credentialSubject"]["result"][0]["value"] == text


@pytest.mark.parametrize(
    "name", ['"quoted" \\ back', "山田 🚀", "a\tb\nc\r\x00\x7f\x85", "דוד\u202eabc", "ن\u200cن", "<b>&amp;"]
)
def test_any_name_can_be_signed_without_what_cannot_be_seen(name: str) -> None:
    credential = signed(FACTS._replace(learner_name=name))
    check(credential)
    said = credential["credentialSubject"]["identifier"][0]["identityHash"]
    assert said == plain(name)
    assert not any(ord(one) < 32 or 127 <= ord(one) < 160 or one == "\u202e" for one in said)


def test_the_status_says_whether_it_was_revoked() -> None:
    def bits(facts: CertificateFacts) -> bytes:
        import gzip
        from base64 import urlsafe_b64decode

        text = status_list(facts, ISSUER, asked=ID)["credentialSubject"]["encodedList"]
        return gzip.decompress(urlsafe_b64decode(text[1:] + "=" * (-len(text[1:]) % 4)))

    assert bits(FACTS) == bytes(16_384)
    assert bits(REVOKED) == b"\x80" + bytes(16_383)
    entry = signed()["credentialStatus"]
    assert entry["statusListCredential"] == status_list(FACTS, ISSUER, asked=ID)["id"]
    assert entry["statusListIndex"] == "0"
