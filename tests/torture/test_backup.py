"""A backup taken beside a loaded server restores, into the other kind of database, to what was acknowledged by then."""

import json
from pathlib import Path
from random import Random

import pytest

from tests.torture.client import new_guest
from tests.torture.load import Tally
from tests.torture.proof import assert_audit_is_clean, attempts_by_step, ledger_ids
from tests.torture.server import Command, Server
from tests.torture.test_operator import beside_load

pytestmark = pytest.mark.long


def test_a_backup_taken_under_load_restores_to_what_was_acknowledged_before_and_audits_clean(
    server: Server, request: pytest.FixtureRequest, tmp_path: Path, rng: Random
) -> None:
    other = "postgresql" if server.database.startswith("sqlite") else "sqlite"
    new_database_url: str = request.getfixturevalue(f"new_{other}_url")
    tally, path, before = Tally([new_guest(server.port) for _ in range(6)]), tmp_path / "saved.hw", set[str]()

    def take() -> Command:
        before.update(tally.acknowledged)
        return Command("backup", str(path), "--json", "--database", server.database)

    taken = json.loads(beside_load(server, rng, tally, take).out)
    restored = Command("restore", str(path), "--json", "--database", new_database_url)
    assert restored.code == 0, str(restored)
    told = json.loads(restored.out)
    assert told["audit"]["found"] == 0
    assert (told["rows"], told["tables"]) == (taken["rows"], taken["tables"])
    held = ledger_ids(new_database_url)
    assert tally.keys(before) <= held.keys() <= tally.keys(set(tally.sent))
    (folder := tmp_path / "again").mkdir()
    with Server(new_database_url, folder) as again:
        # Every client sends all again, as who does not know what was lost: it counts once.
        tally.acknowledged.clear()
        tally.send_the_rest(again.port)
    assert attempts_by_step(new_database_url) == tally.expected()
    assert_audit_is_clean(new_database_url)
