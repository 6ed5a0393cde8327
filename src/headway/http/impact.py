"""What publishing a version does, or with a dry run would do, to the learners of its course, as shapes."""

from typing import Final

from msgspec import Struct

from headway.domain.course import Course
from headway.domain.course_changes import modules_changed, steps_changed
from headway.domain.impact import Gains, KeptGrants
from headway.ledger.impact import Counted
from headway.ledger.impact import Impact as Counts
from headway.ledger.publish import Published

WHY_KEPT: Final = "what was granted stays: a completion is never taken back, and what was open stays open"


class Renamed(Struct):
    """The id of a step or of a module, before and now."""

    before: str
    after: str


class LearnerGains(Struct):
    """What a version brings one learner."""

    learner: str
    modules_unlocked: list[str]
    modules_completed: list[str]
    course_completed: bool
    certificate: bool


class Gained(Struct):
    """How many learners a version brings something, how much of each, and the first of them."""

    learners: int
    modules_unlocked: int
    modules_completed: int
    courses_completed: int
    certificates: int
    first: list[LearnerGains]


class LearnerKeeps(Struct):
    """What a version's rules alone would take from one learner, who keeps it."""

    learner: str
    modules_open: list[str]
    modules_completed: list[str]
    course_completed: bool


class WouldLose(Struct):
    """How many learners would lose something by a version's rules alone, and why they keep it."""

    learners: int
    modules_open: int
    modules_completed: int
    courses_completed: int
    why_kept: str
    first: list[LearnerKeeps]


class Orphaned(Struct):
    """A removed step on which `learners` have progress; it counts again if a later version has the step again."""

    step: str
    learners: int


class GateMoved(Struct):
    """A module that requires other modules than before; `before` is null if the module is new."""

    module: str
    before: list[str] | None
    after: list[str]


class Impact(Struct):
    """What a version changes against the one before, and what that does to learners who began the course.

    Of those whom the publisher may know, the first hundred are named.
    """

    summary: str
    steps_added: list[str]
    steps_removed: list[str]
    steps_renamed: list[Renamed]
    modules_added: list[str]
    modules_removed: list[str]
    modules_renamed: list[Renamed]
    gates_moved: list[GateMoved]
    learners: int
    gains: Gained
    would_lose: WouldLose
    orphaned: list[Orphaned]


def impact_of(published: Published) -> Impact:
    """The impact of what was published."""
    steps, modules = (changed(published.before, published.course) for changed in (steps_changed, modules_changed))
    counts = published.impact
    orphaned = _orphaned(published.before, counts)
    return Impact(
        _summary(counts, orphaned),
        steps.added,
        steps.removed,
        [Renamed(*pair) for pair in steps.renamed],
        modules.added,
        modules.removed,
        [Renamed(*pair) for pair in modules.renamed],
        _gates_moved(published.before, published.course),
        counts.learners,
        _gained(counts.gains),
        _would_lose(counts.kept),
        orphaned,
    )


def _summary(counts: Counts, orphaned: list[Orphaned]) -> str:
    completed = counts.gains.totals.get("modules_completed", 0)
    return f"completes {completed:,}, takes back 0, orphans {len(orphaned):,}"


def _gained(gains: Counted[Gains]) -> Gained:
    first = [
        LearnerGains(
            learner_id, list(one.modules_unlocked), list(one.modules_completed), one.course_completed, one.certified
        )
        for learner_id, one in gains.listed
    ]
    total = gains.totals.get
    return Gained(
        gains.learners,
        total("modules_unlocked", 0),
        total("modules_completed", 0),
        total("course_completed", 0),
        total("certified", 0),
        first,
    )


def _would_lose(kept: Counted[KeptGrants]) -> WouldLose:
    first = [
        LearnerKeeps(learner_id, list(one.modules_open), list(one.modules_completed), one.course_completed)
        for learner_id, one in kept.listed
    ]
    total = kept.totals.get
    return WouldLose(
        kept.learners,
        total("modules_open", 0),
        total("modules_completed", 0),
        total("course_completed", 0),
        WHY_KEPT,
        first,
    )


def _orphaned(before: Course | None, counts: Counts) -> list[Orphaned]:
    if before is None:
        return []
    named = ((step.id, counts.orphaned.get(step.key, 0)) for step in before.steps)
    return [Orphaned(step_id, learners) for step_id, learners in named if learners]


def _gates_moved(before: Course | None, after: Course) -> list[GateMoved]:
    if before is None:
        return []
    were = {module.key: module for module in before.modules}
    return [
        GateMoved(module.id, before.required(were[module.key]) if module.key in were else None, after.required(module))
        for module in after.modules
        if module.key not in were or were[module.key].requires != module.requires
    ]
