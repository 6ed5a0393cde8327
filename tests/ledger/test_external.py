"""Accounts of those for whom another provider vouches."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
import sqlalchemy as sa

from headway.ledger.external import AddressInUse, Vouched, account_of
from headway.store.database import Database
from headway.store.schema import external_sign_in, learner
from tests.ledger.world import World

ADA = Vouched("https://a.example", "ada", "ada@example.org", "Ada")
AT_ONCE = 8


def rows(database: Database) -> tuple[int, int]:
    """How many accounts there are, and how many names for them."""
    with database.read() as connection:
        counted = (sa.select(sa.func.count()).select_from(table) for table in (learner, external_sign_in))
        accounts, names = (connection.execute(one).scalar_one() for one in counted)
    return accounts, names


def test_who_signs_in_many_times_at_once_has_one_account(world: World) -> None:
    before, _ = rows(world.database)
    for turn in range(10):
        vouched = ADA._replace(subject=f"ada-{turn}", email=f"ada-{turn}@example.org")
        start = Barrier(AT_ONCE)

        def sign_in(_: int, vouched: Vouched = vouched, start: Barrier = start) -> str:
            start.wait()
            return account_of(world.database, vouched, may_join=False, now=1)

        with ThreadPoolExecutor(AT_ONCE) as threads:
            assert len(set(threads.map(sign_in, range(AT_ONCE)))) == 1
    assert rows(world.database) == (before + 10, 10)


def at_once(database: Database, both: list[Vouched], *, may_join: bool) -> list[str]:
    """What becomes of those who sign in at the same time: their account, or "refused"."""
    start = Barrier(len(both))

    def sign_in(one: Vouched) -> str:
        start.wait()
        try:
            return account_of(database, one, may_join=may_join, now=1)
        except AddressInUse:
            return "refused"

    with ThreadPoolExecutor(len(both)) as threads:
        return list(threads.map(sign_in, both))


def test_two_providers_that_verify_one_address_at_once_make_one_account_or_one_is_refused(world: World) -> None:
    for may_join in (True, False):
        one = ADA._replace(subject=f"ada-{may_join}", email=f"{may_join}@example.org".lower())
        found = at_once(world.database, [one, one._replace(issuer="https://b.example")], may_join=may_join)
        assert len(set(found)) == (1 if may_join else 2)
        assert ("refused" in found) is not may_join


def test_the_same_provider_never_joins_two_people(world: World) -> None:
    # An address that a company gives anew, and the account of who had it before.
    ada = account_of(world.database, ADA, may_join=True, now=1)
    with pytest.raises(AddressInUse):
        account_of(world.database, ADA._replace(subject="eve"), may_join=True, now=2)
    assert account_of(world.database, ADA, may_join=True, now=3) == ada
    # Nor by the way of a second provider, of whose people one alone is hers.
    elsewhere = [ADA._replace(issuer="https://b.example", subject=name) for name in ("ada", "eve")]
    found = at_once(world.database, elsewhere, may_join=True)
    assert sorted(found, key=len) == ["refused", ada]


@pytest.mark.parametrize("change", [{"issuer": "https://b.example"}, {"subject": "Ada"}, {"subject": "ada "}])
def test_nobody_is_known_by_another_issuer_or_another_spelling(world: World, change: dict[str, str]) -> None:
    ada = account_of(world.database, ADA._replace(email=None), may_join=True, now=1)
    other = account_of(world.database, ADA._replace(email=None, **change), may_join=True, now=1)
    assert ada != other
