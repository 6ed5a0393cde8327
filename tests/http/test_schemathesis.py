"""Requests made up from the OpenAPI document, right and wrong ones: never a 500, and every reply as documented."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from headway.http import who
from headway.ledger import accounts
from headway.store import learners
from tests.http.server import Site, serving
from tests.http.test_contract import made

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    unsupported_method,
]
# Other ones in each run, and of each operation by each of two callers and on each database.
BOUNDED = settings(max_examples=7, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def made_up(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    if request.param == "sqlite":
        with serving(f"sqlite:///{tmp_path_factory.mktemp('made-up') / 'headway.db'}") as site:
            site.publish()
            yield site
    else:
        with request.getfixturevalue("postgres").fresh() as url, serving(url) as site:
            site.publish()
            yield site


@pytest.fixture(scope="module")
def creator(made_up: Site) -> str:
    """The token of someone who may do all."""
    learner_id, _ = accounts.empower(made_up.database, "ada@example.org", "a long password", "creator", now=who.now())
    session = who.session_row(learner_id, "account", "a token", who.now())
    with made_up.database.transaction() as connection:
        learners.add_sessions(connection, session)
    return "a token"


schema = schemathesis.openapi.from_dict(json.loads(made()))


@schema.parametrize()
@BOUNDED
def test_a_creator_is_answered_as_documented(case: Case[Any], made_up: Site, creator: str) -> None:
    if case.operation.label.endswith("/logout"):
        return  # it would end the session that the others are made with
    if case.operation.label.endswith("/stream"):
        case.query = {"seconds": 0}  # it would not end by itself
    case.call_and_validate(made_up.url, headers={"Authorization": f"Bearer {creator}"}, checks=CHECKS)


# What a stranger sends comes to the database in a few operations alone, and those a creator sends as well.
@pytest.mark.parametrize("made_up", ["sqlite"], indirect=True)
@schema.parametrize()
@BOUNDED
def test_a_stranger_is_answered_as_documented(case: Case[Any], made_up: Site) -> None:
    case.call_and_validate(made_up.url, checks=CHECKS)
