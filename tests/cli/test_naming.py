"""One way to name a learner in all operators' commands; who is not there is nobody, and nothing is done to them."""

from pathlib import Path

import pytest

from headway.ledger.enlist import derived_id
from headway.store import learners
from headway.store.database import Database
from tests.cli.terminal import Terminal
from tests.cli.test_erase import ADA, left, url
from tests.ledger.world import numbered

__all__ = ["url"]

# Each with {} where the learner stands.
COMMANDS = [
    "erase {} --yes",
    "reset {} --yes",
    "export --learner {}",
    "audit --learner {}",
    "rebuild --learner {}",
    "admin log --learner {}",
    "learners roles {}",
    "learners claim-code {}",
    f"learners link {{}} {ADA}",
    f"learners link {ADA} {{}}",
    "grades list none --learner {}",
    f"grades give none {{}} {numbered(1)} 1",
    "grades override none {} step 1 --reason Why",
    "grades waive none {} step --reason Why",
]


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Terminal:
    return Terminal(tmp_path, monkeypatch, capfd)


@pytest.mark.parametrize("command", COMMANDS)
def test_who_is_not_there_is_told_and_nothing_is_changed(url: str, terminal: Terminal, command: str) -> None:
    before = left(url)
    for named in ("user_556", "556", "nobody@example.org"):
        code = terminal.run(*command.format(named).split(), "--database", url)
        assert (code, terminal.out) == (1, ""), terminal.err
        assert f"there is no learner '{named}'" in terminal.err
    assert left(url) == before


@pytest.mark.parametrize("command", COMMANDS)
def test_an_address_and_a_legacy_number_name_a_learner_everywhere(url: str, terminal: Terminal, command: str) -> None:
    import_seven(url)
    for named in ("Ada@Example.org", "7"):
        terminal.run(*command.format(named).split(), "--database", url)
        assert "no learner" not in terminal.err
        assert "erased" not in terminal.err


def test_one_who_was_erased_is_not_one_who_never_was(url: str, terminal: Terminal) -> None:
    import_seven(url)
    assert terminal.run("erase", "7", "--yes", "--database", url) == 0
    assert terminal.run("erase", "user_7", "--yes", "--database", url) == 0
    assert terminal.out == "user_7 was erased before; there is nothing left to erase.\n"
    assert terminal.run("erase", "user_8", "--yes", "--database", url) == 1


def test_one_learner_is_looked_at_by_address(url: str, terminal: Terminal) -> None:
    for command in ("audit", "rebuild"):
        told = terminal.json(command, "--learner", "ada@example.org", "--database", url)
        assert told.get("learners", told.get("total")) == 1


def import_seven(url: str) -> None:
    """Somebody of an older product, as an import makes them."""
    database = Database(url)
    seven = {"id": derived_id("learner", "user_7"), "kind": "imported", "external_id": "user_7"}
    with database.transaction() as connection:
        learners.add(connection, {"time_zone": "UTC", "created_at": 0} | seven)
    database.close()
