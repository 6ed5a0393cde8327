"""Checking a session is one statement, and every table in it is looked up by an index."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import event

from headway.store import learners, sessions
from headway.store.database import Database
from headway.store.migrate import migrate

ADA, OPEN = (str(UUID(int=n)) for n in (1, 2))


def test_a_session_is_checked_by_one_indexed_read(database_url: str) -> None:
    database = Database(database_url)
    migrate(database)
    row = {"token_hash": "t", "id": OPEN, "learner_id": ADA, "kind": "account", "created_at": 1, "last_used_at": 1}
    with database.transaction() as connection:
        learners.add(connection, {"id": ADA, "kind": "account", "time_zone": "UTC", "created_at": 1})
        learners.add_sessions(connection, row | {"expires_at": 9, "name": None, "scopes": None})
    asked: list[tuple[str, Any]] = []
    event.listen(database.readers, "before_cursor_execute", lambda *given: asked.append((given[2], given[3])))
    with database.read() as connection:
        asked.clear()
        found = learners.by_session(connection, "t", 8)
        ((statement, parameters),) = asked
        if database.dialect == "postgresql":  # else a table of one row is read whole, index or not
            connection.execute(sa.text("SET LOCAL enable_seqscan = off"))
        explain = "EXPLAIN QUERY PLAN" if database.dialect == "sqlite" else "EXPLAIN"
        plan = str(connection.exec_driver_sql(f"{explain} {statement}", parameters).all())
        assert sessions.page(connection, ADA, 9, None, 5) == []
    database.close()
    assert found is not None
    assert found["id"] == ADA
    assert plan.count("SEARCH" if database.dialect == "sqlite" else "Index Scan using") == 2
    assert not any(whole in plan for whole in ("SCAN", "Seq Scan"))
