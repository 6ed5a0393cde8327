"""Accounts: what the operator gives them."""

from collections.abc import Iterator

import pytest

from headway.domain.errors import Invalid
from headway.ledger import own_passwords
from headway.ledger.accounts import empower
from headway.ledger.security import OPERATOR
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
