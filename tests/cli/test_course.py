"""`headway course check` and `publish`: every fault with its line, YAML as people mean it, and versions."""

import json
from pathlib import Path
from typing import Any

import pytest

from headway.cli.course import tell_impact
from headway.cli.manifest_file import read_manifest
from headway.http.impact import Gained, Impact, WouldLose
from headway.store.database import Database
from tests.torture.proof import query
from tests.torture.server import Command

GOOD = """\
id: python-basics
title: Python basics
modules:
  - id: loops
    title: 'No: a title'
    steps:
      - {id: for-1, kind: lesson, title: For loops}
      - id: quiz
        kind: quiz
        title: 2026-01-01
        prompt: Is 1:30 a number?
        grader: {type: choice, options: {yes: 1.0 is, no: 'off'}, answer: no}
"""
BAD = """\
id: Python Basics
title: Python basics
modules:
  - id: loops
    title: Loops
    steps:
      - {id: for-1, kind: lesson, titel: For loops}
      -
        id: quiz
        kind: qiuz
        title: Quiz
        topics: [a, b, 7]
"""


def check(content: str | bytes, folder: Path) -> Command:
    path = folder / "course.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return Command("course", "check", str(path))


def test_a_right_manifest_is_right_and_reads_as_people_mean_it(tmp_path: Path) -> None:
    done = check(GOOD, tmp_path)
    assert done.code == 0, str(done)
    assert done.out.endswith("course.yaml is right: course python-basics, 1 module, 2 steps.\n")


def test_every_fault_is_told_with_its_line(tmp_path: Path) -> None:
    done = check(BAD, tmp_path)
    lines = [line.removeprefix(f"{tmp_path}/course.yaml:").partition(" must")[0] for line in done.out.splitlines()]
    assert done.code == 1
    assert lines == [
        "1: id",
        "7: modules[0].steps[0].titel is no field of a step; did you mean 'title'?",
        "7: modules[0].steps[0].title is missing; a step needs it",
        "10: modules[0].steps[1].kind",
        "12: modules[0].steps[1].topics[2]",
    ]
    assert done.err.endswith("course.yaml has 5 faults\n")


def test_faults_are_told_in_the_order_of_the_file(tmp_path: Path) -> None:
    content = "modules:\n  - {title: A, steps: []}\ntitel: x\nid: A B\n"
    lines = [int(line.split(":")[1]) for line in check(content, tmp_path).out.splitlines()]
    assert lines == sorted(lines)
    assert len(set(lines)) > 3
    (tmp_path / "bad.yaml").write_text(content)
    url = f"sqlite:///{tmp_path}/x.db"
    published = Command("course", "publish", str(tmp_path / "bad.yaml"), "--database", url)
    assert (published.code, published.err.endswith("faults; nothing was published\n")) == (1, True), str(published)
    told = json.loads(Command("course", "check", "--json", str(tmp_path / "bad.yaml")).out)["faults"]
    assert [one["line"] for one in told] == lines


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is empty"),
        ("id: x\ntitle: [a\n", ":3: a list in brackets goes on without a comma, or is never closed"),
        (
            'id: x\ntitle: "a\nmodules: []\n',
            ":4: a text in quotes is never closed; write its last quote (opened in line 2)",
        ),
        ("id: x\nmodules:\n\t- id: m\n", ":3: a tab stands in the indentation; indent with spaces"),
        ("id: x\n\ttitle: x\n", ":2: a tab stands in the indentation; indent with spaces"),
        ("id: x\ntitle: a: b\n", ":2: a colon stands where none can; put a text that holds one into quotes"),
        ("id: @x\n", ":1: no value begins with this character"),
        ("id: x\nmodules:\n  - id: m\n title: x\n", ":4: this belongs to nothing above"),
        ("id: *x\n", ":1: nothing is marked with that name"),
        ("id: x\n---\nid: y\n", ":2: a second document begins here"),
        ("id: x\ntitle\n", ":3: a key lacks its colon"),
        ("id: x\nid: y\n", ":2: the key 'id' stands here twice"),
        ("{[a]: b}", ":1: a key must be text"),
        ('{"id": "x",\n "title"', ": an object in braces goes on without a comma, or is never closed"),
        (b"id: x\ntitle: Zo\xeb\n", ":2: this is not UTF-8"),
        ("id: !!python/object:os.system x\n", ":1: could not determine a constructor for the tag"),
        ("a: &a [*a]\n", "comes to more than"),
        ("[" * 100_000, "is nested too deeply"),
        ("id: \0", "unacceptable character"),
        ("just text", "must be"),
        ("- id: x\n", "course.yaml: a course must be an object with named fields, not a list"),
        ("[1]", "course.yaml: a course must be an object with named fields, not a list"),
    ],
)
def test_what_is_no_manifest_is_told(tmp_path: Path, content: str | bytes, said: str) -> None:
    done = check(content, tmp_path)
    assert (done.code, said in done.out + done.err) == (1, True), str(done)
    assert "Traceback" not in done.err


def test_publishing_makes_versions_and_an_unchanged_manifest_none(sqlite_url: str) -> None:
    def publish(content: str, *flags: str) -> dict[str, Any]:
        done = Command("course", "publish", "-", "--json", "--database", sqlite_url, *flags, given=content)
        assert done.code == 0, str(done)
        said: dict[str, Any] = json.loads(done.out)
        assert said.pop("impact")["summary"] == "completes 0, takes back 0, orphans 0"
        return said

    told = {"course": "python-basics", "version": 1, "created": True, "unchanged": False, "dry_run": False}
    assert publish(GOOD, "--dry-run") == told | {"dry_run": True}
    assert query(sqlite_url, "SELECT count(*) FROM course") == [(0,)]
    assert publish(GOOD) == told
    assert publish(GOOD) == told | {"created": False, "unchanged": True}
    changed = GOOD.replace("Python basics", "More Python")
    assert publish(changed) == told | {"version": 2, "created": False}
    assert query(sqlite_url, "SELECT version, title FROM course") == [(2, "More Python")]


def test_a_database_that_is_new_is_told_and_a_dry_run_makes_none(tmp_path: Path) -> None:
    def publish(*flags: str) -> Command:
        return Command("course", "publish", "-", "--database", f"sqlite:///{tmp_path}/new.db", *flags, given=GOOD)

    dry = publish("--dry-run")
    assert (dry.code, dry.out, dry.err) == (0, "Would publish python-basics version 1: 1 module, 2 steps.\n", "")
    assert list(tmp_path.iterdir()) == []
    said = f"There was nothing in sqlite:///{tmp_path}/new.db yet: it was set up.\n"
    assert [publish().err, publish().err] == [said, ""]
    # One that is there, with nothing in it, is tried out as well.
    (tmp_path / "empty.db").touch()
    tried = Command("course", "publish", "-", "--database", f"sqlite:///{tmp_path}/empty.db", "--dry-run", given=GOOD)
    assert (tried.code, tried.out) == (0, dry.out)


@pytest.mark.parametrize(
    ("learners", "gaining", "losing", "said"),
    [
        (1, 0, 0, ["Of 1 learner who began it, nobody gains or would lose anything."]),
        (2, 0, 1, ["Of 2 learners who began it, nobody gains anything.", "Nobody loses anything; by the new rules"]),
        (2, 1, 0, ["Of 2 learners who began it, 1 gains something:", "  modules completed 1,", "  courses completed"]),
        (3, 2, 0, ["Of 3 learners who began it, 2 gain something:", "  modules completed 2,", "  courses completed"]),
    ],
)
def test_what_a_version_does_to_learners_is_told_where_it_does_something(
    learners: int, gaining: int, losing: int, said: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    gains, kept = Gained(gaining, 0, gaining, 0, 0, []), WouldLose(losing, 0, 0, 0, "what was granted stays", [])
    tell_impact(Impact("", [], [], [], [], [], [], [], learners, gains, kept, []))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(said)
    assert all(line.startswith(start) for line, start in zip(lines, said, strict=True))


def test_a_manifest_may_be_json(sqlite_url: str) -> None:
    step = {"id": "a", "kind": "lesson", "title": "\ttab"}
    manifest = {"id": "x", "title": "X", "modules": [{"id": "m", "title": "M", "steps": [step]}]}
    done = Command("course", "publish", "-", "--database", sqlite_url, given=json.dumps(manifest, indent="\t"))
    assert done.out == "Published x version 1: 1 module, 1 step.\n", str(done)


def test_json_may_escape_what_it_does_not_have_to(tmp_path: Path) -> None:
    said = ["\U0001f600\U0001f601", "\\\U0001f600", "\\ud83d\\ude00", "\x7f/\u2028ä"]
    path = tmp_path / "course.json"
    path.write_text(json.dumps({"said": said}).replace("/", r"\/"))
    assert read_manifest(str(path)).content == {"said": said}


def test_a_database_that_a_command_makes_is_its_owners_alone(tmp_path: Path) -> None:
    done = Command("course", "publish", "-", "--database", f"sqlite:///{tmp_path / 'new.db'}", given=GOOD)
    assert done.code == 0, str(done)
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


def test_a_faulty_manifest_publishes_nothing(sqlite_url: str) -> None:
    done = Command("course", "publish", "-", "--json", "--database", sqlite_url, given=BAD)
    assert done.code == 1
    assert json.loads(done.out)["faults"][1] == {
        "path": "modules[0].steps[0].titel",
        "line": 7,
        "message": "is no field of a step; did you mean 'title'?",
    }
    database = Database(sqlite_url)
    with database.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM course").scalar_one() == 0
    database.close()


def test_a_dry_run_tells_what_goes_comes_and_is_renamed(sqlite_url: str) -> None:
    def publish(modules: str, *flags: str) -> Command:
        done = Command(
            "course", "publish", "-", "--database", sqlite_url, *flags, given=f"{{id: x, title: X, {modules}}}"
        )
        assert done.code == 0, str(done)
        return done

    lessons = "{id: a, kind: lesson, title: A}, {id: b, kind: lesson, title: B}"
    publish(f"modules: [{{id: one, title: One, steps: [{lessons}]}}]")
    changed = "{id: c, kind: lesson, title: A, renamed_from: [a]}, {id: d, kind: lesson, title: D}"
    modules = f"modules: [{{id: uno, title: One, steps: [{changed}]}}]"
    dry = publish(modules, "--dry-run")
    assert dry.out.splitlines() == [
        "Would publish x version 2: 1 module, 2 steps.",
        "Modules removed: one.",
        "Modules added: uno.",
        "Steps removed: b.",
        "Steps added: d.",
        "Steps renamed: a -> c.",
    ]
    assert "renamed_from" in dry.err
    impact = json.loads(publish(modules, "--dry-run", "--json").out)["impact"]
    assert (impact["modules_removed"], impact["modules_added"], impact["modules_renamed"]) == (["one"], ["uno"], [])
    named = modules.replace("title: One,", "title: One, renamed_from: [one],").replace(
        ", {id: d, kind: lesson, title: D}", ""
    )
    done = publish(named)
    assert done.out.splitlines()[1:] == ["Modules renamed: one -> uno.", "Steps removed: b.", "Steps renamed: a -> c."]
    assert "renamed_from" not in done.err
