"""Achievements and badges: what a learner has earned and what there is to be earned, and the badges' drawings."""

from typing import Annotated, Final, TypeAlias

from litestar import get
from litestar.params import FromPath, QueryParameter
from msgspec import Struct
from sqlalchemy.engine import Connection

from headway.domain.times import format_time
from headway.http import etags
from headway.http.badge_art import drawings, name_of
from headway.http.cursors import LIMIT_MAX, Cursor, cut
from headway.http.exchange import Asked
from headway.http.progress import Learner, answer
from headway.http.refusals import NotFound
from headway.http.reply import Header, Reply
from headway.views.achievements import Place, Standing, place_of, read_standings
from headway.views.subject import Subject

# Without a limit, all are returned, as the contract promises; with one, a page.
AnyLimit: TypeAlias = Annotated[int | None, QueryParameter(ge=1, le=LIMIT_MAX)]
_SVG: Final = b"image/svg+xml"
# A drawing brings all it needs: opened alone, it may run and load nothing.
_HEADERS: Final[tuple[Header, ...]] = ((b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),)
_CACHE: Final[Header] = (b"cache-control", b"public, max-age=86400")


class AchievementProgress(Struct):
    """How far a learner has come: `value` of `target`, in the unit of what is counted."""

    value: int
    target: int
    percent: float


class AchievementShown(Struct):
    """An achievement, and how a learner stands by it; `image` is its badge's address."""

    id: str
    title: str
    description: str
    category: str
    tier: str
    points: int
    hidden: bool
    unlocked: bool
    unlocked_at: str | None
    progress: AchievementProgress
    image: str


class AchievementList(Struct):
    """Achievements; `hidden` counts those that are not listed because they stay secret until they are earned."""

    items: list[AchievementShown]
    hidden: int
    next_cursor: str | None


class Badge(Struct):
    """A badge: an achievement to be shown."""

    id: str
    title: str
    category: str
    tier: str
    points: int
    earned_at: str | None
    image: str


class Badges(Struct):
    """The badges that a learner earned, in the order in which they did, and those that are to be earned."""

    earned: list[Badge]
    available: list[Badge]


@get("/progress/achievements")
async def list_achievements(
    request: Asked, limit: AnyLimit = None, cursor: Cursor = None, learner: Learner = None
) -> Reply:
    """All achievements: which a learner has, and how far they have come towards the others."""

    def look(connection: Connection, whose: Subject) -> AchievementList:
        found = read_standings(connection, whose)
        page, behind = cut(found.shown, lambda one: place_of(one.definition), Place, limit, cursor)
        return AchievementList([_shown(one) for one in page], found.hidden, behind)

    return await answer(request, look, learner)


def _shown(one: Standing) -> AchievementShown:
    definition = one.definition
    return AchievementShown(
        definition.id,
        definition.title,
        definition.description,
        definition.category,
        definition.tier,
        one.points,
        definition.hidden,
        one.earned is not None,
        None if one.earned is None else format_time(one.earned.at),
        AchievementProgress(one.value, definition.threshold, one.percent),
        _image(one),
    )


@get("/progress/badges")
async def list_badges(request: Asked, learner: Learner = None) -> Reply:
    """The badges that a learner has earned, and those that are to be had."""
    return await answer(request, _badges, learner)


def _badges(connection: Connection, whose: Subject) -> Badges:
    found = read_standings(connection, whose).shown
    earned = [(one.earned.at, one) for one in found if one.earned is not None]
    in_order = [one for _, one in sorted(earned, key=lambda pair: (pair[0], pair[1].definition.id))]
    return Badges([_badge(one) for one in in_order], [_badge(one) for one in found if one.earned is None])


def _badge(one: Standing) -> Badge:
    definition, earned = one.definition, one.earned
    said = (definition.id, definition.title, definition.category, definition.tier, one.points)
    return Badge(*said, None if earned is None else format_time(earned.at), _image(one))


def _image(one: Standing) -> str:
    name = name_of(one.definition.category, one.definition.tier, locked=one.earned is None)
    return f"/api/v1/badges/{name}.svg"


@get("/badges/{drawing:str}")
async def read_badge_drawing(request: Asked, drawing: FromPath[str]) -> Reply:
    """The drawing of a badge, as SVG."""
    name, dot, kind = drawing.rpartition(".")
    found = drawings().get(name) if (dot, kind) == (".", "svg") else None
    if found is None:
        raise NotFound("there is no badge of that name")
    return etags.tagged(request, found, _CACHE, _SVG, _HEADERS)


handlers: Final = [list_achievements, list_badges, read_badge_drawing]
