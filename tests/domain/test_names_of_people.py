"""Names of people: as they are typed, wherever that is."""

import pytest

from headway.domain.errors import Invalid
from headway.domain.identity import check_name


@pytest.mark.parametrize("space", ["\u3000", "\u00a0", "\u202f", "\u2003", " "])
def test_a_space_of_any_keyboard_is_one(space: str) -> None:
    assert check_name(f"{space}山田{space}太郎{space}") == "山田 太郎"
    assert check_name(space) is None


@pytest.mark.parametrize("other", ["\t", "\n", "\u2028", "\u202e", "\ufeff", "\0"])
def test_what_is_no_space_between_two_names_is_refused(other: str) -> None:
    with pytest.raises(Invalid, match="printable"):
        check_name(f"Ada{other}Lovelace")
