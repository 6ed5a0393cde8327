"""Accounts: what the operator gives them."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from headway.domain.errors import Invalid
from headway.http.who import session_row
from headway.ledger import own_passwords
from headway.ledger.accounts import SESSIONS_MAX, empower, sign_in
from headway.ledger.security import OPERATOR
from headway.store import learners, schema
from headway.store.database import Database
from headway.store.migrate import migrate

EMAIL, PASSWORD = "ada@example.org", "correct horse battery"


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    migrate(database)
    yield database
    database.close()


def test_a_reset_that_was_asked_for_before_the_operator_chose_a_password_is_over(database: Database) -> None:
    empower(database, EMAIL, PASSWORD, "creator", now=1)
    assert own_passwords.ask_reset(database, EMAIL, "asked before", now=2, origin=OPERATOR) is not None
    again = empower(database, EMAIL, PASSWORD, "admin", now=3)
    with pytest.raises(Invalid):
        own_passwords.reset(database, "asked before", "a hash", now=4, origin=OPERATOR)
    assert own_passwords.ask_reset(database, EMAIL, "asked after", now=5, origin=OPERATOR) is not None
    assert own_passwords.reset(database, "asked after", "a hash", now=6, origin=OPERATOR) == again.learner_id


def test_whoever_signs_in_again_and_again_keeps_the_newest_sessions_and_every_token(database: Database) -> None:
    ada = empower(database, EMAIL, PASSWORD, "creator", now=1).learner_id
    with database.transaction() as connection:
        learners.add_sessions(connection, session_row(ada, "token", "token", 1))
    for at in range(1, SESSIONS_MAX + 6):
        sign_in(database, session_row(ada, "account", f"of {at}", at), password_hash=None, old_token_hash=None)
    with database.read() as connection:
        rows = connection.execute(sa.select(schema.session.c.kind, schema.session.c.created_at)).all()
    assert sorted((kind, at) for kind, at in rows) == [
        *(("account", at) for at in range(6, SESSIONS_MAX + 6)),
        ("token", 1),
    ]
