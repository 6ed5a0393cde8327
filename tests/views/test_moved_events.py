"""The events of an account with all that its guests brought: each once, newest first, whatever moves between pages."""

from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headway.domain.times import SECOND
from headway.ledger.merge import move_guest
from headway.store import learners
from headway.store.schema import ledger
from headway.views.events import About, EventPage, Place, read_events
from headway.views.subject import Subject
from tests.chance import UNSHRUNK
from tests.domain.manifests import course, module, step
from tests.views.learning import NOW, Learning, event

COURSE = course(module("m", step("free")))


def session_of(guest: Subject) -> dict[str, object]:
    times = {"created_at": NOW, "last_used_at": NOW, "expires_at": NOW * 2}
    kind = {"kind": "guest", "name": None, "scopes": None}
    return {"token_hash": guest.learner_id, "id": str(uuid4()), "learner_id": guest.learner_id, **kind, **times}


def guest_of(learning: Learning, name: str) -> Subject:
    guest = learning.learner(name, kind="guest")
    with learning.database.transaction() as connection:
        learners.add_sessions(connection, session_of(guest))
    return guest


def move(learning: Learning, account: Subject, guest: Subject) -> None:
    assert account.learner_id
    assert guest.learner_id
    assert move_guest(learning.database, learning.catalog, account.learner_id, guest.learner_id, now=NOW)


def record(learning: Learning, who: Subject, *seconds: int) -> list[str]:
    """Record events one by one that come in at these seconds; their ids."""
    sent = [event("opened", "free") for _ in seconds]
    for one, second in zip(sent, seconds, strict=True):
        learning.record(who, one, received_at=NOW + second * SECOND)
    return [one.id for one in sent]


def page(learning: Learning, who: Subject, place: Place | None = None, limit: int = 50) -> EventPage:
    return learning.read(read_events, learning.catalog, who, place, limit)


def rest(learning: Learning, who: Subject, place: Place | None, limit: int) -> list[str]:
    """The ids on all pages behind a place."""
    found: list[str] = []
    for _ in range(100):
        here = page(learning, who, place, limit)
        found += [one.id for one in here.items]
        place = here.next_place
        if place is None:
            return found
    raise AssertionError("the pages have no end")


def test_all_identities_are_listed_by_when_entries_came_in(learning: Learning) -> None:
    learning.publish(COURSE)
    ada, first, second = learning.learner(), guest_of(learning, "first"), guest_of(learning, "second")
    a1, a4 = record(learning, ada, 1, 4)
    f2, f5 = record(learning, first, 2, 5)
    s3, s6 = record(learning, second, 3, 6)
    assert rest(learning, ada, None, 50) == [a4, a1]
    move(learning, ada, first)
    move(learning, ada, second)
    for limit in (1, 2, 3, 50):
        assert rest(learning, ada, None, limit) == [s6, f5, a4, s3, f2, a1]
        place, of_step = None, list[str]()
        while len(of_step) < 6:
            asked = (learning.catalog, ada, place, limit, About("python", "free"))
            found: EventPage = learning.read(read_events, *asked)
            of_step += [one.id for one in found.items]
            place = found.next_place
        assert (of_step, place) == ([s6, f5, a4, s3, f2, a1], None)


def test_what_joins_between_two_pages_is_gone_on_with_from_there(learning: Learning) -> None:
    learning.publish(COURSE)
    ada, guest = learning.learner(), guest_of(learning, "guest")
    a1, a3, a5 = record(learning, ada, 1, 3, 5)
    g2, _, _ = record(learning, guest, 2, 4, 6)
    here = page(learning, ada, None, 2)
    assert [one.id for one in here.items] == [a5, a3]
    move(learning, ada, guest)
    assert rest(learning, ada, here.next_place, 2) == [g2, a1]


def test_a_list_that_the_guest_began_is_gone_on_with_as_the_account(learning: Learning) -> None:
    learning.publish(COURSE)
    ada, guest = learning.learner(), guest_of(learning, "guest")
    a1, _ = record(learning, ada, 1, 9)
    g2, g3, g4 = record(learning, guest, 2, 3, 4)
    here = page(learning, guest, None, 1)
    assert [one.id for one in here.items] == [g4]
    move(learning, ada, guest)
    assert rest(learning, ada, here.next_place, 1) == [g3, g2, a1]


@pytest.mark.parametrize("limit", [1, 4])
def test_entries_of_one_moment_are_on_one_page_each(learning: Learning, limit: int) -> None:
    learning.publish(COURSE)
    ada, guest = learning.learner(), guest_of(learning, "guest")
    sent = [*record(learning, ada, 7, 7, 7), *record(learning, guest, 7, 7, 7)]
    here = page(learning, ada, None, 2)
    move(learning, ada, guest)
    found = [one.id for one in here.items] + rest(learning, ada, here.next_place, limit)
    assert sorted(found) == sorted(sent)


@settings(max_examples=60, phases=UNSHRUNK, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_whatever_moves_and_comes_between_pages_what_was_there_is_on_one_of_them(
    learning: Learning, data: st.DataObject
) -> None:
    """Clocks of several servers go back and forth: only what came in later than the last page may be left out."""
    learning.publish(COURSE)
    name = str(uuid4())
    ada, guests = learning.learner(name), [guest_of(learning, f"{name} {n}") for n in range(3)]
    seconds = st.lists(st.integers(1, 9), max_size=6)
    own = record(learning, ada, *data.draw(seconds))
    brought = {guest: record(learning, guest, *data.draw(seconds)) for guest in guests}
    there, found, place = set(own), list[str](), None
    while True:
        here = page(learning, ada, place, data.draw(st.integers(1, 4)))
        found += [one.id for one in here.items]
        if here.next_place is None:
            break
        place = here.next_place
        if data.draw(st.booleans()) and brought:
            guest, ids = brought.popitem()
            move(learning, ada, guest)
            with learning.database.read() as connection:
                rows = connection.execute(ledger.select().where(ledger.c.learner_id == guest.learner_id)).mappings()
                there |= {
                    row["event_id"]
                    for row in rows
                    if row["received_at"] <= place.received_at and row["event_id"] in ids
                }
        record(learning, ada, 99)
    assert len(found) == len(set(found))
    assert there <= set(found)
