"""What can be earned, what a learner has earned of it, and how far they have come towards the rest."""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from sqlalchemy.engine import Connection

from headway.domain.achievements import CATEGORIES, Definition, Metrics, Totals, attended
from headway.domain.scores import ratio_percent
from headway.store import achievements, worked
from headway.store.achievements import Defined, Earned
from headway.views.subject import Subject

_NOTHING: Final = Metrics(Totals(), attended(()))


class Place(NamedTuple):
    """An achievement's place in the list."""

    category: int
    metric: str
    threshold: int
    id: str


class Standing(NamedTuple):
    """A learner's standing on one definition: what they earned, if they did, and their value by its metric."""

    definition: Definition
    earned: Earned | None
    value: int

    @property
    def points(self) -> int:
        """The points of the achievement; for an earned one, those that it had then."""
        return self.definition.points if self.earned is None else self.earned.points

    @property
    def percent(self) -> float:
        """The percentage of the threshold that is reached, at most 100."""
        reached = self.definition.threshold if self.earned else min(self.value, self.definition.threshold)
        return ratio_percent(reached, self.definition.threshold)


class Standings(NamedTuple):
    """The achievements that a learner may see, by category, metric and threshold; `hidden` counts the others."""

    shown: list[Standing]
    hidden: int


def read_standings(connection: Connection, subject: Subject) -> Standings:
    """Return a learner's standing on every definition; hidden and retired ones are included only if earned."""
    now, earned = (_NOTHING, []) if subject.learner_id is None else worked.metrics(connection, subject.learner_id)
    return standings(achievements.defined(connection), now, earned)


def standings(defined: Sequence[Defined], now: Metrics, had: Iterable[Earned]) -> Standings:
    """Return the same from what was read already."""
    earned = {one.achievement_id: one for one in had}
    shown = [
        Standing(one.definition, earned.get(one.definition.id), now.value(one.definition.metric))
        for one in sorted(defined, key=lambda one: place_of(one.definition))
        if one.definition.id in earned or not (one.retired or one.definition.hidden)
    ]
    hidden = [one for one in defined if one.definition.hidden and not one.retired and one.definition.id not in earned]
    return Standings(shown, len(hidden))


def read_earned(connection: Connection, learner_id: str) -> list[tuple[Earned, Definition]]:
    """What a learner earned, the latest first."""
    earned = {one.achievement_id: one for one in achievements.earned(connection, learner_id)}
    found = [
        (earned[name], one.definition)
        for one in achievements.defined(connection)
        if (name := one.definition.id) in earned
    ]
    return sorted(found, key=lambda pair: (-pair[0].at, pair[1].id))


def place_of(one: Definition) -> Place:
    """Return an achievement's place: by category, metric and threshold."""
    return Place(CATEGORIES.index(one.category), one.metric, one.threshold, one.id)
