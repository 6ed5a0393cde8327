"""What a learner will reach next, and how they compare with others."""

from typing import Final

from litestar import get
from litestar.params import FromQuery
from msgspec import Struct
from sqlalchemy.engine import Connection

from headway.http import who
from headway.http.cursors import LIMIT, Cursor, Limit, cut
from headway.http.exchange import Asked, exchange_of
from headway.http.progress import Learner, answer
from headway.http.reply import Reply
from headway.views import peers, predictions
from headway.views.predictions import Place, Prediction, place_of
from headway.views.subject import Subject


class Predictions(Struct):
    """The next achievement, then levels by topic, then courses that are begun and not completed."""

    items: list[Prediction]
    next_cursor: str | None


@get("/progress/predictions")
async def read_predictions(
    request: Asked, limit: Limit = LIMIT, cursor: Cursor = None, learner: Learner = None
) -> Reply:
    """When a learner will reach the next achievement, the next levels and the ends of courses, at the present pace."""
    catalog, now = exchange_of(request).services.catalog, who.now()

    def look(connection: Connection, whose: Subject) -> Predictions:
        found = predictions.read_predictions(connection, catalog, whose, now)
        return Predictions(*cut(found, place_of, Place, limit, cursor))

    return await answer(request, look, learner)


@get("/progress/peers")
async def read_peers(
    request: Asked, period: FromQuery[str] = "month", course: FromQuery[str | None] = None, learner: Learner = None
) -> Reply:
    """The share of the others on a leaderboard whom a learner is ahead of; null if there are fewer than ten."""
    now, cache = who.now(), exchange_of(request).services.board_cache
    return await answer(
        request,
        lambda connection, whose: peers.read_peers(connection, whose, now, period, course, cache),
        learner,
        course,
    )


handlers: Final = [read_predictions, read_peers]
