"""Ids that follow from a source: those that uuid5 gives, in any version of Headway."""

from uuid import UUID, uuid5

from hypothesis import given
from hypothesis import strategies as st

from headway.ledger.enlist import IMPORTED, derived_id


@given(st.lists(st.text() | st.integers()))
def test_they_are_those_of_uuid5(parts: list[str | int]) -> None:
    parts = [part for part in parts if not isinstance(part, str) or part.isprintable()]
    assert derived_id(*parts) == str(uuid5(IMPORTED, "\x1f".join(map(str, parts))))


def test_they_never_change() -> None:
    assert UUID("6f0b4b8e-3d1e-4f0e-9a51-7d0c6a3f8e11") == IMPORTED
    assert derived_id("oulad", "result", "1752", "11391") == "b626759c-791d-5c91-a90e-b0a00947be82"
