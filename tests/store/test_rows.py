"""Rows that travel as one parameter come back as they went, whatever they hold."""

from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from headway.store import courses, entries, learners, rows, sums
from headway.store.courses import Publication
from headway.store.database import Database, is_fault_of_data
from headway.store.entries import Entry
from headway.store.schema import day_sum, enrollment, learner, ledger, session
from tests.store.test_append_only import ADA, BEN, EVENT, NOBODY, OTHER, entry, fill

ODD = [
    *("", " ", "'", "''", '"', '"; DROP TABLE ledger; --', "\\", "\\u0000", "\\n", "\n\t\r", "%s %(rows)s :rows $1 ?"),
    *(
        "{}",
        "[1]",
        "null",
        "true",
        "5",
        "é ü ß",
        "日本語",
        "😀👩‍👩‍👧",
        "\u2028\u2029",
        "\x01\x1f\x7f",
        "\ufeff",
        "\U0010ffff",
    ),
]
WHOLE = [0, 1, -1, 2**31 - 1, -(2**31), 2**53 + 1, -(2**53) - 1, 2**63 - 1, -(2**63)]


def stored(database: Database, learner_id: str = ADA) -> list[Entry]:
    with database.read() as connection:
        return list(entries.between(connection, learner_id, learner_id))


@pytest.fixture
def filled(database: Database) -> Database:
    fill(database)
    return database


def test_texts_numbers_booleans_and_nothing_come_back_as_they_went(filled: Database) -> None:
    texts = [entry(learner_id=BEN, seq=n, event_id=uid(n), body=text, changes=text) for n, text in enumerate(ODD)]
    numbers = [
        entry(
            learner_id=BEN, seq=100 + n, event_id=uid(100 + n), received_at=number, clock_skew=-(number // 2), at=number
        )
        for n, number in enumerate(WHOLE)
    ]
    flags = [
        entry(learner_id=BEN, seq=200 + n, event_id=uid(200 + n), passed=passed, score=score)
        for n, (passed, score) in enumerate([(True, 0), (False, None), (True, 1_000_000)])
    ]
    sent = [*texts, *numbers, *flags]
    with filled.transaction() as connection:
        entries.append(connection, sent)
    assert stored(filled, BEN) == sent
    with filled.read() as connection:
        found = entries.known(connection, [(BEN, one.event_id) for one in sent])
    for one in sent:
        known = found[BEN, one.event_id]
        assert (known.body, known.received_at, known.changes, known.score) == (
            *(one.body, one.received_at, one.changes, one.score),
        )
        assert bool(known.passed) == one.passed


def uid(number: int) -> str:
    return str(UUID(int=1000 + number))


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=64), max_size=5
    ),
    st.integers(-(2**63), 2**63 - 1),
)
def test_any_text_and_any_number_come_back(database: Database, texts: list[str], number: int) -> None:
    people: list[dict[str, Any]] = [
        {"id": uid(n), "kind": "guest", "time_zone": "UTC", "display_name": text, "created_at": number, "roles": text}
        for n, text in enumerate(texts)
    ]
    with database.transaction() as connection:
        connection.exec_driver_sql("DELETE FROM learner")
        learners.add(connection, *people)
        found = [learners.by_id(connection, one["id"]) for one in people]
        looked_up = rows.lookup(
            connection, learner, [(text,) for text in set(texts)], "display_name", by=("display_name",)
        )
    assert [(row["display_name"], row["roles"], row["created_at"]) for row in found if row] == [
        (text, text, number) for text in texts
    ]
    assert sorted(row[0] for row in looked_up) == sorted(texts)


def test_columns_left_out_are_empty(database: Database) -> None:
    kept = {"id": ADA, "kind": "guest", "time_zone": "UTC", "created_at": 1}
    with database.transaction() as connection:
        learners.add(connection, kept)
        row = learners.by_id(connection, ADA)
    assert row is not None
    assert dict(row) == {
        **dict.fromkeys(learner.c.keys()),
        **kept,
        "roles": "",
        "epoch": 0,
        "name_key": "",
        "leaderboard_opt_out": False,
    }


def test_only_the_keys_that_are_asked_for_are_found(filled: Database) -> None:
    with filled.transaction() as connection:
        entries.append(connection, [entry(seq=2, event_id=OTHER), entry(learner_id=BEN)])
        pairs = [(ADA, EVENT), (BEN, EVENT), (BEN, OTHER), (NOBODY, EVENT)]
        assert set(entries.known(connection, pairs)) == {(ADA, EVENT), (BEN, EVENT)}
        assert entries.known(connection, []) == {}
        assert learners.heads(connection, [ADA, BEN, NOBODY]) == {ADA: 2, BEN: 1}
        assert courses.versions(connection, ["python", "py", "Python", "python "]) == {"python": 1}


def test_no_rows_change_nothing(filled: Database) -> None:
    with filled.transaction() as connection:
        assert rows.change(connection, learner, "time_zone", [], ("id",)) == 0


def test_of_many_rows_of_a_key_those_are_found_whose_column_holds_a_text(filled: Database) -> None:
    odd = ODD[:12]
    texts = [entry(learner_id=BEN, seq=n, event_id=uid(n), body=text) for n, text in enumerate(odd)]
    with filled.transaction() as connection:
        entries.append(connection, texts)
        question = rows.Question(ledger, [(BEN,), (NOBODY,)], "t.learner_id, t.body", ("learner_id",), "body")
        for wanted in (odd[:1], odd[3:9], [*odd, "another"], []):
            (found,) = rows.ask(connection, question._replace(texts=wanted))
            assert {row[1] for row in found if row[0] == BEN} == {text for text in wanted if text in odd}
            assert len(found) == len({text for text in wanted if text in odd})


def test_writing_again_puts_rows_in_the_place_of_what_was(filled: Database) -> None:
    row = (ADA, "1970-01-01", "python", 1, *range(10))
    changed = (*row[:4], *range(10, 20))
    other = (ADA, "1970-01-02", *changed[2:])
    with filled.transaction() as connection:
        rows.upsert(connection, day_sum, [row])
        rows.upsert(connection, day_sum, [changed, other])
        rows.upsert(connection, day_sum, [])
        assert sorted(tuple(one) for one in connection.execute(sa.select(day_sum))) == [changed, other]
        rows.delete(connection, day_sum, [row[:4], (BEN, *row[1:4])])
        rows.delete(connection, day_sum, [])
        assert [tuple(one) for one in connection.execute(sa.select(day_sum))] == [other]


@pytest.mark.parametrize(
    ("table", "first", "second"),
    [
        (ledger, entry(seq=5, event_id=OTHER), entry(seq=5, event_id=uid(1))),
        (ledger, entry(seq=5, event_id=OTHER), entry(seq=6, event_id=OTHER)),
        (day_sum, (ADA, "1970-01-01", "python", 1, *range(10)), (ADA, "1970-01-01", "python", 1, *range(10))),
        (enrollment, (ADA, "python", True, 1, EVENT, 1), (ADA, "python", False, 2, OTHER, None)),
        (
            session,
            ("hash", uid(1), ADA, "guest", 1, 1, 1, None, None),
            ("hash", uid(2), BEN, "guest", 1, 1, 1, None, None),
        ),
    ],
    ids=["seq", "event", "day", "enrollment", "session"],
)
def test_a_key_stands_once(filled: Database, table: sa.Table, first: rows.Row, second: rows.Row) -> None:
    with filled.transaction() as connection:
        rows.insert(connection, table, [first])
    with pytest.raises(DBAPIError) as error, filled.transaction() as connection:
        rows.insert(connection, table, [second])
    assert is_fault_of_data(error.value)


@pytest.mark.parametrize("column", ["id", "email", "external_id"])
def test_an_id_an_address_and_an_external_id_are_one_learners(database: Database, column: str) -> None:
    people: list[dict[str, Any]] = [
        {"id": one, "kind": "account", "time_zone": "UTC", "created_at": 1, "email": f"{one}@x", "external_id": one}
        for one in (ADA, BEN)
    ]
    people[1][column] = people[0][column]
    with database.transaction() as connection:
        learners.add(connection, people[0])
    with pytest.raises(DBAPIError) as error, database.transaction() as connection:
        learners.add(connection, people[1])
    assert is_fault_of_data(error.value)
    with database.transaction() as connection:
        learners.add_missing(connection, people[1])
        assert learners.page(connection, "", 9) == [ADA]


def test_who_has_nobody_has_no_figures(database: Database) -> None:
    for table, row in (
        (day_sum, (NOBODY, "1970-01-01", "python", 1, *range(10))),
        (session, ("h", uid(1), NOBODY, "guest", 1, 1, 1, None, None)),
    ):
        with pytest.raises(DBAPIError) as error, database.transaction() as connection:
            rows.insert(connection, table, [row])
        assert is_fault_of_data(error.value)


def test_the_number_of_statements_does_not_grow_with_the_rows(filled: Database) -> None:
    said: list[str] = []
    event.listen(filled.writers, "before_cursor_execute", lambda *args: said.append(args[2]))
    many = [entry(learner_id=BEN, seq=n, event_id=uid(n)) for n in range(500)]
    with filled.transaction() as connection:
        entries.append(connection, many)
        assert len(entries.known(connection, [(one.learner_id, one.event_id) for one in many])) == 500
        list(sums.read(connection, sums.DAYS, [(BEN, f"1970-01-{n:02}", "python", 1) for n in range(99)]))
    assert len(said) == 5


def test_a_page_of_learners_begins_behind_the_last(database: Database) -> None:
    with database.transaction() as connection:
        people = [{"id": uid(n), "kind": "guest", "time_zone": "UTC", "created_at": 1} for n in range(5)]
        learners.add(connection, *people)
        assert learners.page(connection, "", 2) == [uid(0), uid(1)]
        assert learners.page(connection, uid(1), 9) == [uid(2), uid(3), uid(4)]
        assert learners.page(connection, uid(4), 9) == []


def test_two_versions_of_a_course_are_two_and_the_last_is_in_force(filled: Database) -> None:
    with filled.transaction() as connection:
        courses.publish(connection, Publication("python", 2, "Python again", "{2}", "{}", 2, None))
        assert courses.versions(connection, ["python"]) == {"python": 2}
        wanted = [("python", 1), ("python", 2), ("python", 3)]
        found = courses.manifests(connection, wanted)
        assert found == {("python", 1): ("{}", "{}", "{}"), ("python", 2): ("{2}", "{}", "{}")}
    with pytest.raises(DBAPIError), filled.transaction() as connection:
        courses.publish(connection, Publication("python", 2, "Python", "{}", "{}", 1, None))


def test_postgresql_looks_keys_up_whatever_it_believes_of_a_table(postgresql_url: str) -> None:
    database = Database(postgresql_url)
    try:
        fill(database)
        with database.transaction() as connection:
            # Two rows: to read them all looks cheaper than to look one up, as it does by stale statistics.
            connection.exec_driver_sql("ANALYZE learner")
            plan = plan_of(connection, lambda: rows.lookup(connection, learner, [(ADA,)], "id", by=("id",)))
    finally:
        database.close()
    assert "Nested Loop" in plan
    assert "Join" not in plan


def plan_of(connection: Connection, ask: Callable[[], Iterable[rows.Row]]) -> str:
    """How PostgreSQL goes about what is asked."""

    def explain(_: object, __: object, statement: str, parameters: Any, *___: object) -> tuple[str, Any]:
        return (f"EXPLAIN {statement}" if statement.startswith("SELECT") else statement), parameters

    event.listen(connection, "before_cursor_execute", explain, retval=True)
    return "\n".join(row[0] for row in ask())
