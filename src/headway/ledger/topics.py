"""A learner's topics, known while their ledger grows, so that levels need not go through all steps each time."""

from headway.domain.levels import LEVELS, RANKS, Exercise, HeldLevel, LevelTold, highest

# A step of a course, in any run.
Place = tuple[str, str]


class Topics:
    """How many exercises were completed in each topic, and the highest level that the learner was told of.

    `done` are the exercises themselves, None until needed, which they are for few learners.
    """

    __slots__ = ("done", "exercises", "held")

    def __init__(self) -> None:
        self.exercises: dict[str, int] = {}
        self.held: dict[str, HeldLevel] = {}
        self.done: dict[Place, Exercise] | None = None

    @property
    def size(self) -> int:
        """The number of values held."""
        return len(self.exercises) + len(self.held) + len(self.done or ())

    def count(self, topic: str, exercises: int) -> None:
        """Add to the exercises completed in a topic, or subtract with a negative number."""
        if exercises:
            self.exercises[topic] = self.exercises.get(topic, 0) + exercises

    def hold(self, topic: str, level: str, told: LevelTold) -> None:
        """Note that the learner was told of a level."""
        self.held |= highest(((topic, level, told),)) if RANKS.get(level, 0) > self.rank(topic) else {}

    def has_enough(self, topic: str) -> bool:
        """Return whether a topic has as many completed exercises as the level above the told one requires."""
        above = self.rank(topic) + 1
        return above < len(LEVELS) and self.exercises.get(topic, 0) >= LEVELS[above].exercises

    def rank(self, topic: str) -> int:
        """Return the index, among all levels, of the level that the learner was told of."""
        held = self.held.get(topic)
        return held.rank if held is not None else 0
