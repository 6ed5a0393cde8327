"""Endpoints of webhooks: made, removed and resumed by their owners or an admin."""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy.engine import Connection, RowMapping

from headway.domain.errors import HeadwayError, IdentityGone
from headway.ledger import announcing
from headway.ledger.commit import committed
from headway.store import courses, learners, webhooks
from headway.store.database import Database
from headway.store.rows import add_together
from headway.store.webhooks import DueDelivery

ENDPOINTS_MAX: Final = 20
_RUNS: Final[Mapping[str, Any]] = {
    "active": True,
    "failures": 0,
    "failing_since": None,
    "retry_at": 0,
    "disabled_at": None,
    "disabled_why": None,
}


class TooManyWebhooks(HeadwayError):
    """The account has as many webhooks as it may have."""

    code = "too-many-webhooks"


class WebhookDisabled(HeadwayError):
    """The webhook is disabled, and sent nothing."""

    code = "webhook-disabled"


class UnknownWebhook(HeadwayError):
    """There is no such webhook."""

    code = "not-found"


class NoRoleForWebhooks(HeadwayError):
    """Webhooks are for admins, and for creators of what comes of their own courses."""

    code = "forbidden"


def make(database: Database, endpoint: Mapping[str, Any]) -> None:
    """Add an endpoint, given as a row, for an account that may have it."""

    def work(connection: Connection) -> None:
        learners.lock(connection, [endpoint["learner_id"]])  # else two at once could both be the last that may be made
        account = learners.by_id(connection, endpoint["learner_id"])
        if account is None or account["erased_at"] is not None:
            raise IdentityGone("there is no such account any more")
        _check_role(connection, account["roles"].split(), endpoint)
        if webhooks.find(connection, endpoint["id"], endpoint["learner_id"]) is not None:
            return  # the COMMIT's answer was lost
        if webhooks.count(connection, endpoint["learner_id"]) >= ENDPOINTS_MAX:
            raise TooManyWebhooks(f"an account has at most {ENDPOINTS_MAX} webhooks; delete one that is of no use")
        webhooks.add(connection, dict(endpoint) | dict(_RUNS))

    committed(database, work)


def _check_role(connection: Connection, roles: list[str], endpoint: Mapping[str, Any]) -> None:
    found = None if endpoint["course_id"] is None else courses.find(connection, endpoint["course_id"])
    if "admin" in roles:
        if endpoint["course_id"] is not None and found is None:
            raise UnknownWebhook("there is no course of that name", field="course")
        return
    if "creator" not in roles or endpoint["course_id"] is None:
        raise NoRoleForWebhooks("only admins are sent what comes of all courses; name a course of your own")
    if found is None or found["owner_id"] != endpoint["learner_id"]:
        raise UnknownWebhook("there is no course of that name that is yours", field="course")


def remove(database: Database, webhook_id: str, learner_id: str | None) -> None:
    """Delete an endpoint of an account, or of any with `learner_id` None; UnknownWebhook if there is none."""

    def work(connection: Connection) -> None:
        found(connection, webhook_id, learner_id, lock=True)
        webhooks.remove(connection, webhook_id)

    committed(database, work)


def resume(database: Database, webhook_id: str, learner_id: str | None) -> None:
    """Send to a disabled endpoint again; UnknownWebhook if there is none."""

    def work(connection: Connection) -> None:
        if not found(connection, webhook_id, learner_id, lock=True)["active"]:
            # Recording that ran beside the disabling may have left messages for it.
            webhooks.forget_due(connection, webhook_id)
        webhooks.change(connection, webhook_id, **_RUNS)

    committed(database, work)


def redeliver(database: Database, webhook_id: str, learner_id: str | None, delivery_id: str, *, now: int) -> str:
    """Send a delivered message once more under the same id, and return that id.

    Raise UnknownWebhook if there is no such webhook or delivery, and WebhookDisabled if the webhook is disabled,
    because resuming it would drop the message.
    """

    def work(connection: Connection) -> str:
        endpoint = found(connection, webhook_id, learner_id, lock=True)
        sent = webhooks.delivery(connection, webhook_id, delivery_id)
        if sent is None:
            raise UnknownWebhook("there is no such delivery of this webhook")
        if not endpoint["active"]:
            raise WebhookDisabled("a disabled webhook is sent nothing; resume it first")
        due = DueDelivery(webhook_id, sent["learner_id"], sent["seq"], sent["n"], now)
        add_together(connection, webhooks.due_added([due]))
        announcing.note_due(connection)
        return str(sent["message_id"])

    return committed(database, work)


def found(connection: Connection, webhook_id: str, learner_id: str | None, *, lock: bool = False) -> RowMapping:
    """Return an endpoint of an account, or of any with `learner_id` None; UnknownWebhook if there is none."""
    row = webhooks.find(connection, webhook_id, learner_id, lock=lock)
    if row is None:
        raise UnknownWebhook("you have no such webhook")
    return row
