"""Statements on webhooks."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from headway.domain.changes import Change
from headway.domain.notices import notice_id
from headway.domain.webhooks import Endpoint
from headway.store import rows
from headway.store.notices import PARTS_MAX
from headway.store.rows import Addition, Question
from headway.store.schema import course, learner, ledger, notice, webhook, webhook_delivery, webhook_due

_ENDPOINT: Final = "t.id, t.course_id, t.types"
_decode_changes: Final = msgspec.json.Decoder(list[Change]).decode
_decode: Final = msgspec.json.Decoder(Change).decode


class DueDelivery(NamedTuple):
    """A change that an endpoint is to be sent, by the place where a learner was told it; times are microseconds."""

    webhook_id: str
    learner_id: str
    seq: int
    n: int
    due_at: int = 0
    tries: int = 0


class Content(NamedTuple):
    """What a place tells, and of whom: the learner's present id, the external id; the notice's id, time and change."""

    learner_id: str
    external_id: str | None
    id: str
    at: int
    change: Change


def endpoints_asked() -> Question:
    """The question for the active endpoints, answered by `endpoints_answered`."""
    return Question(webhook, [(True,)], _ENDPOINT, ("active",))


def endpoints_answered(found: Iterable[rows.Row]) -> list[Endpoint]:
    """The active endpoints found."""
    return [Endpoint(row[0], row[1], frozenset(row[2].split())) for row in found]


def endpoints(connection: Connection) -> list[Endpoint]:
    """The active endpoints, by one statement."""
    return endpoints_answered(rows.ask(connection, endpoints_asked())[0])


def due_added(due: Iterable[DueDelivery]) -> Addition:
    """The addition, for `rows`, of changes to be sent."""
    return Addition(webhook_due, due, replaces=True)


def add(connection: Connection, values: Mapping[str, Any]) -> None:
    """Add an endpoint."""
    connection.execute(sa.insert(webhook).values(**values))


def count(connection: Connection, learner_id: str) -> int:
    """How many endpoints an account has."""
    own = sa.select(sa.func.count()).select_from(webhook).where(webhook.c.learner_id == learner_id)
    return connection.execute(own).scalar_one()


def listed(connection: Connection, learner_id: str | None) -> Sequence[RowMapping]:
    """The endpoints of an account, or of all accounts, the oldest first."""
    wanted = sa.select(webhook).order_by(webhook.c.created_at, webhook.c.id)
    if learner_id is not None:
        wanted = wanted.where(webhook.c.learner_id == learner_id)
    return connection.execute(wanted).mappings().all()


def find(
    connection: Connection, webhook_id: str, learner_id: str | None = None, *, lock: bool = False
) -> RowMapping | None:
    """An endpoint of an account, or of any; None where there is none. Lock it before locking its messages."""
    wanted = sa.select(webhook).where(webhook.c.id == webhook_id)
    if lock:
        wanted = wanted.with_for_update()
    if learner_id is not None:
        wanted = wanted.where(webhook.c.learner_id == learner_id)
    return connection.execute(wanted).mappings().first()


def remove(connection: Connection, webhook_id: str) -> None:
    """Delete an endpoint with its messages due and its deliveries."""
    for table in (webhook_due, webhook_delivery):
        connection.execute(sa.delete(table).where(table.c.webhook_id == webhook_id))
    connection.execute(sa.delete(webhook).where(webhook.c.id == webhook_id))


def change(connection: Connection, webhook_id: str, **values: Any) -> None:
    """Set columns of an endpoint."""
    connection.execute(sa.update(webhook).where(webhook.c.id == webhook_id).values(**values))


def forget_due(connection: Connection, webhook_id: str) -> None:
    """Delete the messages due to an endpoint."""
    connection.execute(sa.delete(webhook_due).where(webhook_due.c.webhook_id == webhook_id))


def waited_for(connection: Connection, now: int) -> dict[str, int]:
    """The endpoints that something can be sent to now, and when the first of that became due."""
    first = _sendable(webhook.c.id, now).with_only_columns(webhook_due.c.due_at).limit(1)
    first_at = first.correlate(webhook).scalar_subquery()
    wanted = sa.select(webhook.c.id, first_at).where(webhook.c.active, webhook.c.retry_at <= now)
    return {webhook_id: at for webhook_id, at in connection.execute(wanted) if at is not None}


def firsts(connection: Connection, now: int, wanted: Mapping[str, int]) -> list[DueDelivery]:
    """Messages that can be sent now, each learner's first only, up to the number given for each endpoint.

    Locks them, and skips those that others have locked. One statement, which reads no more of a backlog than it
    returns.
    """
    parts = (_sendable(key, now).limit(many).with_for_update(skip_locked=True) for key, many in wanted.items())
    together = sa.union_all(*(sa.select(part.subquery()) for part in parts))
    return [DueDelivery(*row) for row in connection.execute(together)] if wanted else []


def _sendable(webhook_id: str | sa.ColumnElement[str], now: int) -> sa.Select[Any]:
    """Messages that may be sent to an endpoint now, the longest due first: each learner's first, if that is due."""
    other = webhook_due.alias()
    earlier = sa.exists().where(
        other.c.webhook_id == webhook_due.c.webhook_id,
        other.c.learner_id == webhook_due.c.learner_id,
        sa.tuple_(other.c.seq, other.c.n) < sa.tuple_(webhook_due.c.seq, webhook_due.c.n),
    )
    own = sa.select(webhook_due).where(webhook_due.c.webhook_id == webhook_id, webhook_due.c.due_at <= now, ~earlier)
    return own.order_by(webhook_due.c.due_at)


def lease(connection: Connection, due: Iterable[DueDelivery], until: int) -> list[DueDelivery]:
    """Take up messages to send them; nobody else does before `until` (microseconds)."""
    taken = [one._replace(due_at=until, tries=one.tries + 1) for one in due]
    rows.upsert(connection, webhook_due, taken)
    return taken


def settle(connection: Connection, one: DueDelivery, due_at: int | None) -> bool:
    """Note that a message is done with (None), or when it is due again; False where others took it up since."""
    held = (
        (webhook_due.c.webhook_id == one.webhook_id)
        & (webhook_due.c.learner_id == one.learner_id)
        & (webhook_due.c.seq == one.seq)
        & (webhook_due.c.n == one.n)
        & (webhook_due.c.tries == one.tries)
    )
    if due_at is None:
        return bool(connection.execute(sa.delete(webhook_due).where(held)).rowcount)
    return bool(connection.execute(sa.update(webhook_due).where(held).values(due_at=due_at)).rowcount)


def allowed(connection: Connection, webhook_ids: Iterable[str]) -> dict[str, RowMapping]:
    """The endpoints that their accounts may still have: any as admins, those of their own courses as creators."""
    wanted = (
        sa.select(webhook, learner.c.roles, course.c.owner_id)
        .join(learner, learner.c.id == webhook.c.learner_id)
        .outerjoin(course, course.c.id == webhook.c.course_id)
        .where(rows.among(connection, webhook.c.id, webhook_ids))
    )
    found = connection.execute(wanted).mappings()
    return {row["id"]: row for row in found if _may_have(row)}


def _may_have(row: RowMapping) -> bool:
    roles = row["roles"].split()
    return "admin" in roles or ("creator" in roles and row["owner_id"] == row["learner_id"])


def contents(connection: Connection, due: Iterable[DueDelivery]) -> dict[tuple[str, int, int], Content]:
    """The contents of messages by place, by one statement; what no longer exists is left out."""
    places = {(one.learner_id, one.seq, one.n) for one in due}
    of_entries = {(learner_id, seq) for learner_id, seq, n in places if n < PARTS_MAX}
    entries, told, people = rows.ask(
        connection,
        Question(
            ledger, of_entries, "t.learner_id, t.seq, t.event_id, t.received_at, t.changes", ("learner_id", "seq")
        ),
        Question(
            notice,
            {one for one in places if one[2] >= PARTS_MAX},
            "t.learner_id, t.seq, t.n, t.id, t.at, t.body",
            ("learner_id", "seq", "n"),
        ),
        Question(
            learner,
            {(one[0],) for one in places},
            "t.id, coalesce(t.merged_into, t.id),"
            " (SELECT a.external_id FROM learner a WHERE a.id = coalesce(t.merged_into, t.id))",
            ("id",),
        ),
    )
    named = {row[0]: (row[1], row[2]) for row in people}
    found = {
        (learner_id, seq, n): Content(*named[learner_id], notice_id(learner_id, event_id, n), at, one)
        for learner_id, seq, event_id, at, changes in entries
        for n, one in enumerate(_decode_changes(changes or "[]"))
    }
    return found | {(row[0], row[1], row[2]): Content(*named[row[0]], row[3], row[4], _decode(row[5])) for row in told}


def log(connection: Connection, values: Mapping[str, Any]) -> None:
    """Store a delivery, or a failed try."""
    connection.execute(sa.insert(webhook_delivery).values(**values))


def deliveries(connection: Connection, webhook_id: str, before: tuple[int, str] | None, limit: int) -> list[RowMapping]:
    """Deliveries to an endpoint, the newest first, before a (time, id)."""
    wanted = sa.select(webhook_delivery).where(webhook_delivery.c.webhook_id == webhook_id)
    if before is not None:
        at, delivery_id = before
        same = sa.and_(webhook_delivery.c.at == at, webhook_delivery.c.id < delivery_id)
        wanted = wanted.where(sa.or_(webhook_delivery.c.at < at, same))
    newest = wanted.order_by(webhook_delivery.c.at.desc(), webhook_delivery.c.id.desc()).limit(limit)
    return list(connection.execute(newest).mappings())


def delivery(connection: Connection, webhook_id: str, delivery_id: str) -> RowMapping | None:
    """A delivery to an endpoint; None where there is none of that id."""
    key = (webhook_delivery.c.webhook_id == webhook_id) & (webhook_delivery.c.id == delivery_id)
    return connection.execute(sa.select(webhook_delivery).where(key)).mappings().first()


def forget_before(connection: Connection, *, at: int, limit: int) -> int:
    """Delete deliveries from before a time, the oldest first, at most `limit`; return how many."""
    old = (
        sa.select(webhook_delivery.c.id).where(webhook_delivery.c.at < at).order_by(webhook_delivery.c.at).limit(limit)
    )
    return connection.execute(sa.delete(webhook_delivery).where(webhook_delivery.c.id.in_(old))).rowcount


def forget_orphans(connection: Connection, *, limit: int) -> int:
    """Delete messages due to endpoints that no longer exist or are disabled, at most `limit`; return how many."""
    kept = sa.exists().where(webhook.c.id == webhook_due.c.webhook_id, webhook.c.active)
    key = [webhook_due.c[name] for name in ("webhook_id", "learner_id", "seq", "n")]
    found = connection.execute(sa.select(*key).where(~kept).limit(limit)).all()
    rows.delete(connection, webhook_due, [tuple(row) for row in found])
    return len(found)
