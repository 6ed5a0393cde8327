"""Multibase base58btc, by the vectors of its draft and by what Data Integrity writes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.certificates.multibase import write_multibase
from tests.certificates.base58 import read_multibase


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"", "z"),
        (b"Hello World!", "z2NEpo7TZRRrLZSi2U"),
        (bytes.fromhex("0000287fb4cd"), "z11233QC4"),
        (
            b"The quick brown fox jumps over the lazy dog.",
            "zUSm3fpXnKG5EUBx2ndxBDMPVciP5hGey2Jh4NDv6gmeo1LkMeiKrLJUUBk6Z",
        ),
    ],
)
def test_it_is_what_the_draft_of_base58_says(raw: bytes, text: str) -> None:
    assert write_multibase(raw) == text
    assert read_multibase(text) == raw


@given(st.binary(max_size=80))
def test_what_is_written_reads_the_same(raw: bytes) -> None:
    assert read_multibase(write_multibase(raw)) == raw
