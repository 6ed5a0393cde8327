"""What is known of a learner's topics while their ledger grows: so levels need not go through all steps each time."""

from headway.domain.levels import LEVELS, RANKS, Exercise, Held, Told, highest

# A step of a course, in whichever run.
Place = tuple[str, str]


class Topics:
    """How many exercises were completed in each topic, and the highest level that the learner was told of.

    `done` are the exercises themselves, None until they are asked for, as of few learners they are.
    """

    __slots__ = ("done", "exercises", "held")

    def __init__(self) -> None:
        self.exercises: dict[str, int] = {}
        self.held: dict[str, Held] = {}
        self.done: dict[Place, Exercise] | None = None

    @property
    def size(self) -> int:
        """How many values it holds."""
        return len(self.exercises) + len(self.held) + len(self.done or ())

    def count(self, topic: str, exercises: int) -> None:
        """Count exercises that were completed in a topic, or that no longer are there."""
        if exercises:
            self.exercises[topic] = self.exercises.get(topic, 0) + exercises

    def hold(self, topic: str, level: str, told: Told) -> None:
        """Note that the learner was told of a level."""
        self.held |= highest(((topic, level, told),)) if RANKS.get(level, 0) > self.rank(topic) else {}

    def has_enough(self, topic: str) -> bool:
        """Whether as many exercises were completed in a topic as the level above the one held takes."""
        above = self.rank(topic) + 1
        return above < len(LEVELS) and self.exercises.get(topic, 0) >= LEVELS[above].exercises

    def rank(self, topic: str) -> int:
        """The place among all levels of the one that the learner was told of."""
        held = self.held.get(topic)
        return held.rank if held is not None else 0
