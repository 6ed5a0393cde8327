"""Who learns in the demo: invented people, where they live, and how they go about it."""

from datetime import date, timedelta
from itertools import product
from random import Random
from typing import Final, NamedTuple
from uuid import UUID

from headway.demo.content import names
from headway.domain.times import local_day

DAYS: Final = 120
GUEST_SHARE: Final = 0.1
LEARNER_EMAIL: Final = "learner@demo.example"
LEARNER_NAME: Final = "Robin Ashgrove"
CREATOR_EMAIL: Final = "creator@demo.example"


class Habit(NamedTuple):
    """How somebody learns. Rates and skills are probabilities, times hours of the local day.

    `steps` is how many a session usually takes; `stays` between which shares of the course they stop for good;
    `practice` how likely they repeat a question on a day with nothing new; `offline` how likely a session is sent late.
    """

    share: int
    weekday: float
    weekend: float
    hour: float
    spread: float
    steps: float
    skill: float
    stays: tuple[float, float] = (1, 1)
    practice: float = 0.02
    offline: float = 0.02


HABITS: Final = {
    "evenings": Habit(24, weekday=0.34, weekend=0.2, hour=20, spread=1.4, steps=2.2, skill=0.72, stays=(0.5, 1.4)),
    "weekends": Habit(15, weekday=0.04, weekend=0.6, hour=14.5, spread=2.8, steps=3.4, skill=0.72, stays=(0.5, 1.4)),
    "every day": Habit(9, weekday=0.96, weekend=0.94, hour=19, spread=2.2, steps=0.9, skill=0.8, practice=0.95),
    "lunch breaks": Habit(
        9, weekday=0.45, weekend=0.04, hour=12.5, spread=0.4, steps=1.2, skill=0.75, stays=(0.4, 1.4)
    ),
    "commute": Habit(8, 0.5, 0.08, hour=8, spread=0.5, steps=1.3, skill=0.7, stays=(0.5, 1.4), offline=0.4),
    "all at once": Habit(11, weekday=0.5, weekend=0.8, hour=17, spread=3, steps=11, skill=0.68),
    "gone after two modules": Habit(14, 0.3, 0.3, 20, 2, steps=2.4, skill=0.62, stays=(0.29, 0.34), practice=0),
    "hard going": Habit(7, weekday=0.45, weekend=0.4, hour=18, spread=2.5, steps=1.6, skill=0.36, stays=(0.3, 1.2)),
    "a look around": Habit(
        3, weekday=0.25, weekend=0.3, hour=16, spread=4, steps=2, skill=0.6, stays=(0, 0.15), practice=0
    ),
}
GUEST_HABIT: Final = "a look around"
ZONES: Final = {
    "Europe/Berlin": 16, "Europe/London": 12, "Europe/Warsaw": 6, "Europe/Helsinki": 3, "America/New_York": 14,
    "America/Chicago": 7, "America/Los_Angeles": 9, "America/Sao_Paulo": 8, "Africa/Lagos": 6, "Asia/Kolkata": 10,
    "Asia/Tokyo": 5, "Asia/Kathmandu": 1, "Australia/Sydney": 3,
}  # fmt: skip  # a table of names and shares
# Terminal and editor send local times with their offset and scores as percent; the web sends UTC, and raw of max.
CLIENTS: Final = {"web": 70, "terminal": 20, "editor": 10}
# How many days ago a class began together.
CLASSES: Final = (108, 80, 52, 24)


class Person(NamedTuple):
    """Somebody who learns: `started_on` is their first day, `stops_after` the number of steps that they will do.

    `git_first` says that they take the module on Git before the one on text, as the course allows.
    """

    id: str
    kind: str
    name: str | None
    email: str | None
    zone: str
    habit: Habit
    client: str
    started_on: date
    stops_after: float
    git_first: bool = False


def learners(seed: int, count: int, now: int, steps: int) -> list[Person]:
    """The demo's own learner first, then other accounts, guests last; `steps` is how many the course has."""
    known = names()
    chance = Random(f"{seed}/people")  # noqa: S311  # a play, and always the same one
    full = [f"{given} {family}" for given, family in product(known.given, known.family)]
    full.remove(LEARNER_NAME)
    chance.shuffle(full)
    guests = round(count * GUEST_SHARE)
    accounts = [_account(chance, name, now, steps) for name in full[: count - guests - 1]]
    return [_own(chance, now), *accounts, *(_guest(chance, now, steps) for _ in range(guests))]


def new_id(chance: Random) -> str:
    """A version 4 UUID made from `chance`, the same for the same seed."""
    return str(UUID(int=chance.getrandbits(128), version=4))


def _own(chance: Random, now: int) -> Person:
    """The learner that a visitor may sign in as: three weeks in, and on a streak."""
    habit = HABITS["every day"]._replace(weekday=1, weekend=1)
    begun = _today(now, "UTC") - timedelta(days=20)
    return Person(new_id(chance), "account", LEARNER_NAME, LEARNER_EMAIL, "UTC", habit, "web", begun, 99)


def _account(chance: Random, name: str, now: int, steps: int) -> Person:
    kind = _pick(chance, {one: habit.share for one, habit in HABITS.items()})
    email = f"{name.lower().replace(' ', '.')}@learners.example"
    return _person(chance, "account", (name, email), HABITS[kind], (now, steps))


def _guest(chance: Random, now: int, steps: int) -> Person:
    return _person(chance, "guest", (None, None), HABITS[GUEST_HABIT], (now, steps))


def _person(
    chance: Random, kind: str, known_as: tuple[str | None, str | None], habit: Habit, course: tuple[int, int]
) -> Person:
    now, steps = course
    zone = _pick(chance, ZONES)
    together = kind == "account" and chance.random() < 0.5
    ago = chance.choice(CLASSES) - chance.randrange(3) if together else chance.randrange(DAYS)
    return Person(
        id=new_id(chance),
        kind=kind,
        name=known_as[0],
        email=known_as[1],
        zone=zone,
        habit=habit._replace(
            hour=habit.hour + chance.gauss(0, 0.7), skill=min(0.97, max(0.15, chance.gauss(habit.skill, 0.1)))
        ),
        client=_pick(chance, CLIENTS),
        started_on=_today(now, zone) - timedelta(days=ago),
        stops_after=max(1.0, chance.uniform(*habit.stays) * steps),
        git_first=chance.random() < 0.25,
    )


def _pick(chance: Random, shares: dict[str, int]) -> str:
    return chance.choices(list(shares), list(shares.values()))[0]


def _today(now: int, zone: str) -> date:
    return date.fromisoformat(local_day(now, zone))
