"""The contexts are what their addresses give, and nothing else is ever read."""

import re
from hashlib import sha256
from importlib.resources import files

import pytest
from pyld.jsonld import JsonLdError

from headway.certificates.integrity import _FILES, CREDENTIALS, OPEN_BADGES, canonical

# The first as the Recommendation of the Verifiable Credentials Data Model 2.0 names it.
HASHES = {
    CREDENTIALS: "59955ced6697d61e03f2b2556febe5308ab16842846f5b586d7f1f7adec92734",
    OPEN_BADGES: "3d34f4d4ef1bce691106e63798beb5e7b862ba841423f5ee1e53ab7ddf3bca84",
}
FOLDER = files("headway.certificates").joinpath("contexts")


@pytest.mark.parametrize("address", HASHES)
def test_a_bundled_context_is_byte_for_byte_what_its_address_gives(address: str) -> None:
    assert sha256(FOLDER.joinpath(_FILES[address]).read_bytes()).hexdigest() == HASHES[address]


def test_the_page_beside_them_names_every_file_its_address_and_its_hash() -> None:
    page = FOLDER.joinpath("README.md").read_text("utf-8")
    told = dict(re.findall(r"^\| `[\w.-]+` \| `(\S+)` \| `([0-9a-f]{64})`", page, re.MULTILINE))
    assert told == HASHES
    assert {one.name for one in FOLDER.iterdir() if one.name.endswith(".json")} == set(_FILES.values())


@pytest.mark.parametrize("address", ["https://example.org/context", "http://www.w3.org/ns/credentials/v2", "file:///x"])
def test_a_context_that_is_not_bundled_is_not_fetched(address: str) -> None:
    with pytest.raises(JsonLdError) as refusal:
        canonical({"@context": [CREDENTIALS, address], "type": ["VerifiableCredential"]})
    causes = [one := refusal.value] + [one := one.__cause__ for _ in range(9) if one is not None]
    assert any(isinstance(one, LookupError) and address in str(one) for one in causes)
