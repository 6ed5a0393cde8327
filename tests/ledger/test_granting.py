"""What is granted where events are recorded: by which rule, with which date, and what a sweep leaves open meanwhile."""

from typing import Any

import pytest

from headway.domain.faults import ManifestInvalid
from headway.domain.times import format_time
from headway.ledger.audit import audit
from tests.domain.manifests import course, module, parsed, step
from tests.ledger.world import GRADER, HOUR, NOON, World, event, statuses


def gated(*modules: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return course(*modules, id="gated", title="Gated", **fields)


def kinds(world: World, learner_id: str) -> list[str]:
    return [row["kind"] for row in world.rows_of("granted") if row["learner_id"] == learner_id]


def test_a_certificate_by_graded_evidence_may_come_with_a_lesson(world: World) -> None:
    quiz = step("quiz", grader=GRADER)
    world.publish(
        gated(
            module("m", quiz, step("free"), step("read", kind="lesson")),
            certificate=True,
            evidence="graded",
            pass_mark=50,
        )
    )
    ada = world.learner()
    world.send(ada, event(of="quiz", course="gated", response="b"))
    world.send(ada, event(of="free", course="gated", score=1))
    assert "course_completed" in kinds(world, ada)
    assert "certified" not in kinds(world, ada)
    receipt = world.send(ada, event(kind="completed", of="read", course="gated"))
    assert [one["type"] for one in receipt.changes][-1] == "certificate_issued"
    world.assert_clean()


def test_a_certificate_is_dated_by_the_server(world: World) -> None:
    world.publish(gated(module("m", step("a")), certificate=True))
    ada = world.learner()
    long_ago = format_time(1)
    world.send(ada, event(of="a", course="gated", score=1, occurred_at=long_ago), at=NOON + HOUR)
    (issued,) = world.rows_of("certificate")
    dates = {row["kind"]: row["at"] for row in world.rows_of("granted")}
    assert issued["issued_at"] == dates["certified"] == NOON + HOUR
    assert dates["course_completed"] == dates["module_completed"] == 1
    world.assert_clean()


def test_what_a_sweep_will_keep_open_is_open_before_it_comes(world: World) -> None:
    open_modules = [module("one", step("a")), module("two", step("b"), requires=[]), module("three", step("c"))]
    world.publish(gated(*open_modules))
    ada = world.learner()
    world.send(ada, event(kind="opened", of="a", course="gated"))
    world.publish(gated(open_modules[0], {**open_modules[1], "requires": ["one"]}, open_modules[2]))
    # As a server finds it that is killed between the version and the sweep.
    world.run("UPDATE course SET judged_version = 1 WHERE id = 'gated'", "DELETE FROM granted")
    world.run(
        "INSERT INTO ledger_opened VALUES ('test')",
        "DELETE FROM ledger WHERE source = 'server'",
        "DELETE FROM ledger_opened",
    )
    receipt = world.send(ada, event(of="b", course="gated", score=1), event(of="c", course="gated", score=1))
    assert statuses(receipt) == ["recorded", "recorded"]
    bob = world.learner()
    assert statuses(world.send(bob, event(of="c", course="gated"))) == ["locked"]


@pytest.mark.parametrize("steps", [3, 100])
def test_a_module_is_judged_at_each_event_of_a_batch(world: World, steps: int) -> None:
    listed = [step(f"s{n}", kind="lesson") for n in range(steps)]
    world.publish(gated(module("m", *listed, pass_mark=100), module("next", step("last"))))
    ada = world.learner()
    sent = [event(kind="completed", of=f"s{n}", course="gated") for n in range(steps)]
    again = event(kind="worked", of="s0", course="gated", duration_s=5)
    receipt = world.send(
        ada, *sent[:-1], again, event(of="last", course="gated"), sent[-1], event(of="last", course="gated", score=1)
    )
    assert statuses(receipt) == ["recorded"] * steps + ["locked", "recorded", "recorded"]
    assert kinds(world, ada) == ["course_completed", "module_completed", "module_completed", "module_unlocked"]
    assert audit(world.database, world.catalog).clean


def test_prerequisites_are_so_many_at_most() -> None:
    names = [f"m{n}" for n in range(150)]
    modules = [module(name, step(f"{name}-s"), requires=names[:n]) for n, name in enumerate(names)]
    with pytest.raises(ManifestInvalid, match="11,175 prerequisites"):
        parsed(course(*modules))
    assert len(parsed(course(*modules[:141])).modules) == 141
