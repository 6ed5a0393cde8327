"""What others chose, titles, topics and names, gives no orders to the terminal that shows it."""

import json
import os
import pty
import subprocess

import pytest

from headway.cli.learner.drawing import bold
from headway.cli.screen import harmless, harmless_json
from tests.cli.terminal import Terminal
from tests.http.server import Site
from tests.torture.server import HEADWAY, Command, environment

# It names the window, clears it, begins an order in one sign, and turns around what follows.
_ORDERS = "\x1b]0;mine\x07\x1b[2J\x9b2J\u202e"
_TOPIC = f"loops{_ORDERS}end"


def _harmful(told: str) -> set[str]:
    return set(told) & {"\x1b", "\x07", "\x9b", "\u202e"}


@pytest.fixture
def odd(site: Site) -> Site:
    steps = [{"id": f"e{n}", "kind": "exercise", "title": f"{_ORDERS}{n}", "topics": [_TOPIC]} for n in range(10)]
    site.publish({"id": "odd", "title": f"Odd{_ORDERS}", "modules": [{"id": "m", "title": "M", "steps": steps}]})
    return site


@pytest.mark.usefixtures("odd")
def test_a_topic_whose_level_changes_gives_no_orders(terminal: Terminal) -> None:
    told = ""
    for number in range(10):
        assert terminal.run("submit", f"odd/e{number}", "--score", "1") == 0, terminal.err
        told += terminal.out + terminal.err
    assert "intermediate" in told
    assert not _harmful(told)


@pytest.mark.usefixtures("odd")
@pytest.mark.parametrize("command", [("courses",), ("api", "/courses/odd"), ("api", "/progress/skill-levels")])
def test_json_tells_orders_as_what_they_are(terminal: Terminal, command: tuple[str, ...]) -> None:
    assert terminal.run("submit", "odd/e0", "--score", "1") == 0, terminal.err
    shown = _on_a_terminal(terminal, *command, "--json")
    assert not _harmful(shown)
    assert json.dumps(_ORDERS)[1:-1] in json.dumps(json.loads(shown))


def test_a_table_for_spreadsheets_gives_no_orders_to_a_terminal(terminal: Terminal, odd: Site) -> None:
    asked = {"name": "reports", "scopes": ["read"]}
    admin = odd.person("admin@example.org", "admin")
    terminal.set("HEADWAY_TOKEN", admin.post("/auth/tokens", json=asked).json()["token"])
    shown = _on_a_terminal(terminal, "api", "/creator/courses/odd/report.csv")
    assert "mine" in shown
    assert not _harmful(shown)


def test_why_a_command_failed_gives_no_orders() -> None:
    told = Command("restore", f"{_ORDERS}end").err
    assert "mine" in told
    assert not _harmful(told)


def _on_a_terminal(terminal: Terminal, *arguments: str) -> str:
    """What a command shows on a terminal."""
    leader, follower = pty.openpty()
    variables = environment() | {name: value for name, value in os.environ.items() if name.startswith("HEADWAY_")}
    with os.fdopen(leader, "rb", buffering=0) as seen:
        asked = [str(HEADWAY), *arguments]
        ran = subprocess.Popen(asked, stdout=follower, stderr=follower, env=variables, cwd=terminal.folder)
        os.close(follower)
        shown = b""
        try:
            while part := seen.read(65_536):
                shown += part
        except OSError:  # the other side is closed
            pass
        assert ran.wait(60) == 0, shown
    return shown.decode()


def test_our_own_colors_and_the_ends_of_lines_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    painted = f"{bold('Streak')}\tof 3\r\nday\u200ds\n"
    assert "\x1b[1m" in painted
    assert harmless(painted) == painted
    assert harmless("50 %\rdone\x1b[8m\x7f") == "50 % done [8m "
    said = {"a": f"1{_ORDERS}\x85"}
    told = harmless_json(json.dumps(said, ensure_ascii=False, indent=2))
    assert (json.loads(told), _harmful(told)) == (said, set())
