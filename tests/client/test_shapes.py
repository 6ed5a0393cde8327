"""What the SDK says of replies is what the contract says of them; and it is imported without the server."""

import json
from typing import Any, get_type_hints

import pytest

from headway.client import shapes
from tests.house.tree import ROOT, loaded_by

SCHEMAS = json.loads((ROOT / "contract" / "openapi.json").read_text())["components"]["schemas"]
KINDS: list[Any] = [one for one in vars(shapes).values() if isinstance(one, type) and hasattr(one, "__total__")]
# What the contract has beyond these is of no use to a client, or is told in the documents of a course.
PARTS = ("Outline", "OutlineModule", "StepShown", "StreakSummary")
OF_SERVER = ("headway.domain", "headway.store", "headway.ledger", "headway.views", "headway.http", "headway.cli")
HEAVY = ("sqlalchemy", "litestar", "msgspec", "requests", "urllib3", "typer", "rich", "ssl", "http.client", "asyncio")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_shape_has_the_fields_of_the_contract(kind: Any) -> None:
    told = SCHEMAS[kind.__name__]["properties"]
    said = get_type_hints(kind)
    assert said.keys() <= told.keys() if kind.__name__ in PARTS else said.keys() == told.keys()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_what_may_be_null_is_said_to_be(kind: Any) -> None:
    told = SCHEMAS[kind.__name__]["properties"]
    for name, hint in get_type_hints(kind).items():
        may_be_null = {"type": "null"} in told[name].get("anyOf", told[name].get("oneOf", []))
        assert (type(None) in getattr(hint, "__args__", ())) == may_be_null, name


def test_the_sdk_is_imported_without_the_server_and_without_what_only_requests_need() -> None:
    assert loaded_by("import headway.client", *OF_SERVER, *HEAVY) == []
