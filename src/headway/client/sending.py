"""Sending what waits, in batches, by one process at a time; the outcome of each batch is noted before the next."""

import random
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from sqlite3 import Connection
from typing import Any, Final, NamedTuple

from headway.client import identities, outbox
from headway.client.entering import enter_by_what_was_left
from headway.client.errors import AskLater, NotSaved, Refused, SignInNeeded, TokenUnknown, Unanswered, Unreachable
from headway.client.identities import GUEST, GUEST_GONE, UNHEARD, UNKNOWN, Bearer, Identity
from headway.client.outbox import ASIDE, LOCKED, WAITING, Item
from headway.client.reading import note_change
from headway.client.store import Store
from headway.client.transport import RETRY_AFTER_MAX_S, Reply, Transport, accepted, is_too_large

BACKOFF_S: Final = 1.0
BACKOFF_MAX_S: Final = 300.0
OTHER_SENDS: Final = "another program is sending now"
_SETTLED: Final = ("recorded", "duplicate")
_TOO_LARGE_OR_NO_FIT: Final = (400, 413, 422)
_LISTS: Final = ("results", "steps", "changes")
_UNLOCKS: Final = ("module_unlocked", "module_completed", "course_completed")


class Outcome(NamedTuple):
    """What became of an event: `recorded`, `duplicate`, `refused`, `locked`, or `saved` on this device for later.

    `reason` says why it is none of the first two. `progress` is how the step stands now, `changes` what the request
    brought about, both as the server told them; empty where this process did not see the answer.
    """

    id: str
    status: str
    reason: str | None = None
    progress: Mapping[str, Any] | None = None
    changes: Sequence[Mapping[str, Any]] = ()

    @property
    def is_recorded(self) -> bool:
        """Whether the server has it."""
        return self.status in _SETTLED


class Sent(NamedTuple):
    """What one pass has sent; `why` says what stopped it, if anything did, and `again_in_s` when to try again."""

    outcomes: Mapping[str, Outcome]
    why: str | None = None
    again_in_s: float | None = None


class _Refused(Exception):
    """The request was refused as a whole."""

    def __init__(self, reason: str, *, is_ours: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.is_ours = is_ours


class _Broken(Unreachable):
    """The server failed on this request (status 500), perhaps because of something in it."""


class Sender:
    """Sends what waits for one server; the bearer's token, if any, is not kept on this device.

    With `early`, it tries before the backoff is over, and a failure then does not lengthen the backoff.
    """

    def __init__(self, store: Store, transport: Transport, bearer: Bearer, *, early: bool = False) -> None:
        self._is_early = early
        self._store = store
        self._transport = transport
        self._bearer = bearer
        self._outcomes: dict[str, Outcome] = {}

    def send(self, *, until: float | None = None) -> Sent | None:
        """Send all that can be sent, up to the monotonic time `until`; None if another program is sending."""
        with self._store.sending() as is_ours:
            if not is_ours:
                return None
            return self._send_as_asked(until)

    def be_somebody(self) -> None:
        """Have the server make the guest that acts here, if it has not yet; NotSaved if another program is sending."""
        with self._store.writing() as connection:
            me = identities.current(connection, self._bearer)
        if me.kind != GUEST or me.learner is not None:
            return
        with self._store.sending() as is_ours:
            if not is_ours:
                raise NotSaved("another program sends what waits just now: try again once it is done")
            # Another program may meanwhile have merged this identity into another.
            for one in self._known():
                if one.id == me.id:
                    self._settle(one)

    def _send_as_asked(self, until: float | None) -> Sent:
        self._outcomes = {}
        with self._store.reading() as connection:
            wait_s, said = asked_to_wait(connection, self._transport.url)
        if wait_s > 0:
            return Sent({}, said, wait_s)
        try:
            trouble = self._send_all(until)
        except Unreachable as error:
            return Sent(self._outcomes, error.detail, self._note_outage(error))
        with self._store.writing() as connection:
            connection.execute("DELETE FROM place WHERE server = ?", (self._transport.url,))
        return Sent(self._outcomes, trouble)

    def _send_all(self, until: float | None) -> str | None:
        enter_by_what_was_left(self._store, self._transport)
        with self._store.writing() as connection:
            outbox.try_locked_again(connection, self._transport.url)
        known = self._settle_identities()
        troubles = [one.trouble for one in known if one.trouble and self._has_work(one)]
        for head in known:
            token = self._token_of(head)
            is_unheard = head.kind == UNKNOWN or (token is None and head.trouble == UNHEARD)
            if head.into_id is not None or is_unheard:
                continue
            group = [one.id for one in known if identities.sent_as(known, one).id == head.id and _may_go(one)]
            try:
                self._send_group(group, token, until)
            except SignInNeeded as error:
                troubles.append(self._told(head, error))
                self._note_trouble(head.id, troubles[-1])
        return troubles[-1] if troubles else None

    def _told(self, head: Identity, error: SignInNeeded) -> str:
        """Why nothing can be sent as an identity; a guest, who cannot sign in again, is told what else to do."""
        if head.kind != GUEST or not isinstance(error, TokenUnknown):
            return error.detail
        with self._store.reading() as connection:
            return GUEST_GONE if identities.is_own_guest(connection, head) else UNHEARD

    def _send_group(self, group: Sequence[int], token: str | None, until: float | None) -> None:
        while until is None or time.monotonic() < until:
            with self._store.reading() as connection:
                batch = outbox.next_batch(connection, group)
            if not batch:
                return
            if token is None:
                raise SignInNeeded("sign in again: nobody is signed in here as whom this was made")
            self._deliver(batch, token)
            for identity_id in group:
                self._note_trouble(identity_id, None)

    def _deliver(self, batch: Sequence[Item], token: str) -> None:
        """Send a batch; if it is refused as a whole, send its halves, until the event at fault is alone."""
        try:
            reply = self._post(batch, token)
        except _Refused as refused:
            if len(batch) > 1:
                half = len(batch) // 2
                self._deliver(batch[:half], token)
                self._deliver(batch[half:], token)
                return
            if not refused.is_ours:
                raise Unreachable(refused.reason) from None
            self._set_aside(batch, refused.reason)
        except _Broken as broken:
            with self._store.writing() as connection:
                outbox.note_failure(connection, batch, broken.detail)
            raise
        else:
            self._note(batch, reply.body)

    def _post(self, batch: Sequence[Item], token: str) -> Reply:
        events = [one.content for one in batch]
        sent = {"events": events, "sent_at": datetime.now(UTC).isoformat(timespec="milliseconds")}
        try:
            reply = self._transport.ask("POST", "/events", sent, token=token)
        except Unreachable as error:
            if is_too_large(error):
                raise _Refused(error.detail, is_ours=False) from None
            raise
        if reply.status in _TOO_LARGE_OR_NO_FIT:
            raise _Refused(f"{reply.slug}: {reply.detail}", is_ours=True)
        if reply.status == 500:
            raise _Broken(reply.detail)
        try:
            accepted(reply)
        except Refused as error:
            raise Unreachable(error.detail) from None
        _check_answers(reply, batch)
        return reply

    def _note(self, batch: Sequence[Item], told: Mapping[str, Any]) -> None:
        results = list(zip(batch, told["results"], strict=True))
        settled = [item for item, result in results if result["status"] in _SETTLED]
        refused = [(item, result) for item, result in results if result["status"] not in _SETTLED]
        locked = [(item, _reason(result)) for item, result in refused if _slug(result) == "locked"]
        aside = [(item, _reason(result)) for item, result in refused if _slug(result) != "locked"]
        with self._store.writing("what was sent could not be noted, and will be sent again") as connection:
            outbox.take_out(connection, settled)
            for state, which in ((LOCKED, locked), (ASIDE, aside)):
                outbox.keep(connection, [item for item, _ in which], state, [reason for _, reason in which])
            # This ends: it is done only when the batch took something out of the outbox.
            if settled and any(one.get("type") in _UNLOCKS for one in told["changes"]):
                outbox.try_locked_again(connection, self._transport.url)
            if settled:
                note_change(connection)
        steps = {(one.get("course"), one.get("step")): one for one in told["steps"]}
        self._outcomes |= {
            item.id: Outcome(item.id, result["status"], None, _step_of(item, steps), told["changes"])
            for item, result in results
            if result["status"] in _SETTLED
        }
        self._outcomes |= {item.id: Outcome(item.id, "locked", reason) for item, reason in locked}
        self._outcomes |= {item.id: Outcome(item.id, "refused", reason) for item, reason in aside}

    def _set_aside(self, batch: Sequence[Item], reason: str) -> None:
        with self._store.writing() as connection:
            outbox.keep(connection, batch, ASIDE, [reason] * len(batch))
        self._outcomes |= {one.id: Outcome(one.id, "refused", reason) for one in batch}

    def _settle_identities(self) -> list[Identity]:
        """Settle who is who with the server before sending: a guest is made once, and moved before more is sent."""
        for one in self._known():
            if not self._has_work(one) and one.into_id is None:
                continue
            try:
                self._settle(one)
            except (SignInNeeded, Refused) as error:
                was_never = one.kind == UNKNOWN and isinstance(error, TokenUnknown)
                self._note_trouble(one.id, UNHEARD if was_never else error.detail)
        return self._known()

    def _settle(self, one: Identity) -> None:
        if one.kind == UNKNOWN and (token := self._token_of(one)):
            me = accepted(self._transport.ask("GET", "/auth/me", token=token)).body
            with self._store.writing() as connection:
                learn(connection, one, me)
        elif one.kind == GUEST and one.learner is None and one.into_id is None:
            learner, token = _guest_in(accepted(self._transport.ask("POST", "/auth/guest")).body)
            with self._store.writing() as connection:
                identities.became_guest(connection, one, learner, token)
        elif one.into_id is not None and not one.moved:
            self._move(one)

    def _move(self, guest: Identity) -> None:
        with self._store.reading() as connection:
            account = identities.by_id(connection, guest.into_id or 0)
        token = account and self._token_of(account)
        if token and guest.token:
            told = accepted(self._transport.ask("POST", "/auth/merge", {"guest_token": guest.token}, token=token)).body
            if not isinstance(told, dict) or "merged" not in told:
                raise Unreachable(f"{guest.server} does not say that the guest was moved")
        if token:
            with self._store.writing() as connection:
                identities.was_moved(connection, guest)

    def _known(self) -> list[Identity]:
        with self._store.reading() as connection:
            return identities.all_of(connection, self._transport.url)

    def _token_of(self, one: Identity) -> str | None:
        brought = self._bearer.token
        if brought is not None and one.digest == identities.digest_of(brought):
            return brought
        return one.token

    def _has_work(self, one: Identity) -> bool:
        with self._store.reading() as connection:
            found = connection.execute(
                "SELECT 1 FROM item WHERE identity_id = ? AND state = ? LIMIT 1", (one.id, WAITING)
            ).fetchone()
        return found is not None

    def _note_trouble(self, identity_id: int, trouble: str | None) -> None:
        with self._store.writing() as connection:
            identities.note_trouble(connection, identity_id, trouble)

    def _note_outage(self, error: Unreachable) -> float:
        """Note that the server could not be reached; returns the seconds to wait, more after each failure."""
        asked_s = error.retry_after_s if isinstance(error, AskLater) else 0.0
        with self._store.writing() as connection:
            asked = "SELECT tries, backoff_until FROM place WHERE server = ?"
            row = connection.execute(asked, (self._transport.url,)).fetchone()
            if row and self._is_early:
                tries, until = row["tries"], row["backoff_until"]
            else:
                tries = row["tries"] if row else 0
                # Up to a half less, at random: devices that were cut off together should not come back together.
                share = random.uniform(0.5, 1)  # noqa: S311  # no secret
                until = time.time() + min(BACKOFF_MAX_S, BACKOFF_S * 2 ** min(tries, 30)) * share
                tries += 1
            said = (self._transport.url, tries, until, time.time() + asked_s, error.detail)
            connection.execute("INSERT OR REPLACE INTO place VALUES (?, ?, ?, ?, ?)", said)
            unanswered = (f"unanswered {self._transport.url}", str(int(isinstance(error, Unanswered))))
            connection.execute("INSERT OR REPLACE INTO setting VALUES (?, ?)", unanswered)
        return max(float(until) - time.time(), asked_s)


def asked_to_wait(connection: Connection, server: str) -> tuple[float, str | None]:
    """For how many seconds the server asked to be left alone, and what it said."""
    row = connection.execute("SELECT asked_until, said FROM place WHERE server = ?", (server,)).fetchone()
    left_s = float(row["asked_until"]) - time.time() if row else 0.0
    # A longer wait than that means that a clock was set back.
    return (left_s, row["said"]) if 0 < left_s <= RETRY_AFTER_MAX_S else (0.0, None)


def was_unanswered(connection: Connection, server: str) -> bool:
    """Whether the last try did not reach the server at all, so that it may be tried as soon as it is back."""
    row = connection.execute("SELECT value FROM setting WHERE name = ?", (f"unanswered {server}",)).fetchone()
    return row is not None and row["value"] == "1"


def keeps_back(connection: Connection, server: str) -> str:
    """Why what waits was not tried just now: the reason of the last failure, or that another program is sending."""
    row = connection.execute("SELECT said FROM place WHERE server = ?", (server,)).fetchone()
    return str((row and row["said"]) or OTHER_SENDS)


def backoff_s(connection: Connection, server: str) -> float:
    """The seconds that a program which tries by itself should still wait; 0 if it may try now."""
    row = connection.execute("SELECT backoff_until, asked_until FROM place WHERE server = ?", (server,)).fetchone()
    left_s = max(float(row["backoff_until"]), float(row["asked_until"])) - time.time() if row else 0.0
    return float(left_s) if 0 < left_s <= RETRY_AFTER_MAX_S else 0.0


def learn(connection: Connection, one: Identity, me: Any) -> Identity:
    """Note what `GET /auth/me` says of an identity's token."""
    learner = me.get("learner") if isinstance(me, dict) else None
    is_learner = isinstance(learner, dict) and isinstance(learner.get("id"), str)
    if learner is None or not is_learner or me.get("kind") not in (identities.GUEST, identities.ACCOUNT):
        raise Unreachable(f"{one.server} does not say who the token is of")
    name = learner.get("display_name") or learner.get("email")
    return identities.learned(connection, one, str(learner["id"]), str(me["kind"]), name)


def _guest_in(made: object) -> tuple[str, str]:
    """The guest that the server made: learner and token."""
    match made:
        case {"learner": {"id": str(learner)}, "token": str(token)}:
            return learner, token
    raise Unreachable("the server does not say which guest it made")


def _may_go(one: Identity) -> bool:
    return one.into_id is None or one.moved


def _check_answers(reply: Reply, batch: Sequence[Item]) -> None:
    """Raise Unreachable unless the reply has a known result for every event, in the order of the request."""
    told = reply.body
    if not isinstance(told, dict) or not all(map(_is_list_of_objects, map(told.get, _LISTS))):
        raise Unreachable("the answer is none of a Headway server's")
    results = told["results"]
    if [one.get("id") for one in results] != [one.id for one in batch]:
        raise Unreachable("the answer is about other events than were sent")
    if not all(one.get("status") in (*_SETTLED, "refused") for one in results):
        raise Unreachable("the answer says of an event what this version does not know; is there a newer Headway?")


def _is_list_of_objects(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, dict) for one in value)


def _slug(result: Mapping[str, Any]) -> str:
    problem = result.get("problem")
    return str(problem.get("type", "")).rpartition("/")[2] if isinstance(problem, dict) else ""


def _reason(result: Mapping[str, Any]) -> str:
    problem = result.get("problem")
    detail = problem.get("detail") if isinstance(problem, dict) else None
    return f"{_slug(result) or 'refused'}: {detail or 'the server does not say why'}"


def _step_of(item: Item, steps: Mapping[Any, Mapping[str, Any]]) -> Mapping[str, Any] | None:
    event = item.content
    return steps.get((event["course"], event["step"]))
