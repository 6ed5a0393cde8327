"""What a learner is to practice today."""

from typing import Final

from litestar import get
from msgspec import Struct
from sqlalchemy.engine import Connection

from headway.http import who
from headway.http.cursors import LIMIT, Cursor, Limit, read_cursor, write_cursor
from headway.http.exchange import Asked, exchange_of
from headway.http.progress import Learner, answer
from headway.http.reply import Reply
from headway.views.reviews import ReviewDue, ReviewPlace, read_reviews
from headway.views.subject import Subject


class ReviewList(Struct):
    """Exercises that are due, the longest due first."""

    items: list[ReviewDue]
    next_cursor: str | None


@get("/progress/reviews")
async def list_reviews(request: Asked, limit: Limit = LIMIT, cursor: Cursor = None, learner: Learner = None) -> Reply:
    """What a learner is about to forget, the longest due first: exercises that they can do now."""
    place, now = read_cursor(cursor, ReviewPlace), who.now()
    catalog = exchange_of(request).services.catalog

    def look(connection: Connection, whose: Subject) -> ReviewList:
        page = read_reviews(connection, catalog, whose, now, place, limit)
        return ReviewList(page.items, None if page.next_place is None else write_cursor(page.next_place))

    return await answer(request, look, learner)


handlers: Final = (list_reviews,)
