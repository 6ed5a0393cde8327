"""The databases that tests are given are real, empty and their own."""

from pathlib import Path

import psycopg
import pytest
import sqlalchemy

from tests.house.tree import ROOT


@pytest.mark.parametrize("again", [1, 2])
def test_each_test_gets_a_database_of_its_own(database_url: str, again: int) -> None:
    engine = sqlalchemy.create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text("CREATE TABLE only_mine (x integer)"))
    engine.dispose()


def test_postgresql_is_the_real_one(postgresql_url: str) -> None:
    with psycopg.connect(postgresql_url) as connection:
        row = connection.execute("SELECT version(), current_setting('fsync')").fetchone()
    assert row is not None
    assert row[0].startswith("PostgreSQL ")
    assert row[1] == "off"


def test_the_shared_data_lies_beside_the_project(shared_data: Path) -> None:
    assert shared_data.parent.parent == ROOT.parent
    assert (shared_data / "oulad").is_dir()
