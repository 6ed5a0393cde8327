"""The Python SDK: records what a learner did, on this device first and then once on the server, and reads progress."""

import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

from headway.client import identities, outbox
from headway.client.asking import asked, request_of
from headway.client.background import Background
from headway.client.errors import EventInvalid, NotSaved, SignInNeeded
from headway.client.events import Score, is_event, make_event
from headway.client.identities import Bearer
from headway.client.outbox import ASIDE, LOCKED, WAITING
from headway.client.reading import Reader, path_of
from headway.client.sending import OTHER_SENDS, Outcome, Sender, Sent, backoff_s, keeps_back, was_unanswered
from headway.client.shapes import (
    Answer,
    CourseListed,
    CourseProgress,
    History,
    Outline,
    Overview,
    StepShown,
    together,
)
from headway.client.store import Store
from headway.client.transport import Stream, Transport

_LOOK_AGAIN_S: Final = 0.03
_TRY_AGAIN_S: Final = 60.0
# How long a read may be held up by sending what waits.
_EARLY_S: Final = 2.0
_PAGE: Final = 200


class Synced(NamedTuple):
    """What a sync has done, and what is left: `waiting` and `locked` will be sent later, `aside` will not by itself.

    `why` says what keeps back what waits.
    """

    recorded: int
    waiting: int
    locked: int
    aside: int
    why: str | None
    outcomes: Mapping[str, Outcome]


class Headway:
    """A learner at a Headway server.

    Acts as the owner of `token`; without one, as whoever is signed in on this device (`headway login`), or as a guest
    if nobody is. Events are first written to the outbox in `state_folder` (the user's own by default), which all
    programs of the user share. While the program runs, what waits is tried again in the background.
    """

    def __init__(
        self,
        url: str,
        token: str | None = None,
        *,
        state_folder: Path | None = None,
        background: bool = True,
        timeout_s: float = 30.0,
    ) -> None:
        if token is not None and (not token.isascii() or not token.isprintable() or " " in token or not token):
            raise SignInNeeded("this is no token of a Headway server's; sign in, and use the one that it gives")
        self._transport = Transport(url, timeout_s)
        self._bearer = Bearer(self._transport.url, token)
        self._store = Store(state_folder)
        self._reader = Reader(self._store, self._transport, self._bearer)
        self._timeout_s = timeout_s
        self._is_behind = False
        self._background = Background(self._try_once) if background else None
        if self._background is not None and self.counts()[WAITING]:
            self._background.wake()

    @property
    def url(self) -> str:
        """The server's address."""
        return self._transport.url

    @property
    def bearer(self) -> Bearer:
        """Who this acts as."""
        return self._bearer

    @property
    def store(self) -> Store:
        """The store on this device: identities, outbox and cached answers."""
        return self._store

    def opened(self, course: str, step: str, *, occurred_at: datetime | None = None) -> Outcome:
        """The learner looked at a step."""
        return self.record(make_event("opened", course, step, occurred_at=occurred_at))[0]

    def worked(
        self,
        course: str,
        step: str,
        *,
        duration_s: float,
        hints: int | None = None,
        occurred_at: datetime | None = None,
    ) -> Outcome:
        """The learner spent time on a step."""
        given = {"duration_s": duration_s, "hints": hints, "occurred_at": occurred_at}
        return self.record(make_event("worked", course, step, **given))[0]

    def attempted(  # noqa: PLR0913 - the fields of an event
        self,
        course: str,
        step: str,
        *,
        score: Score = None,
        response: Any = None,
        duration_s: float | None = None,
        hints: int | None = None,
        occurred_at: datetime | None = None,
    ) -> Outcome:
        """The learner tried a step: with the score that they reached, or with a `response` that the server grades."""
        given = {"score": score, "response": response, "duration_s": duration_s, "hints": hints}
        return self.record(make_event("attempted", course, step, **given, occurred_at=occurred_at))[0]

    def completed(
        self,
        course: str,
        step: str,
        *,
        score: Score = None,
        duration_s: float | None = None,
        occurred_at: datetime | None = None,
    ) -> Outcome:
        """The learner completed a step."""
        given = {"score": score, "duration_s": duration_s, "occurred_at": occurred_at}
        return self.record(make_event("completed", course, step, **given))[0]

    def record(self, *events: dict[str, Any]) -> list[Outcome]:
        """Record events that `make_event` made, in one go. NotSaved where this device could not keep them."""
        if not all(is_event(one) for one in events):
            raise EventInvalid("record takes events as make_event makes them, each with an id and a time of its own")
        with self._store.writing() as connection:
            outbox.append(connection, identities.current(connection, self._bearer).id, events)
        return self._sent_now([one["id"] for one in events])

    def sync(self, patience_s: float = 0.0) -> Synced:
        """Send all that waits; where the server cannot be reached, keep trying for `patience_s` seconds."""
        until, outcomes = time.monotonic() + patience_s, dict[str, Outcome]()
        while True:
            sent = self._send_or_wait(until)
            outcomes |= sent.outcomes if sent else {}
            left_s = until - time.monotonic()
            if sent is None or sent.again_in_s is None or left_s <= 0:
                break
            time.sleep(min(sent.again_in_s, left_s))
        left = self.counts()
        recorded = sum(one.is_recorded for one in outcomes.values())
        why = sent.why if sent else OTHER_SENDS
        return Synced(recorded, left[WAITING], left[LOCKED], left[ASIDE], why if left[WAITING] else None, outcomes)

    def catch_up(self) -> None:
        """Send what waits, once, so that what is read next includes it.

        Where the server was not reached a moment ago, the first read that shows it is back sends what waits.
        """
        with suppress(NotSaved):  # a full disk must not prevent reading
            self._is_behind = False
            if not self.counts()[WAITING]:
                return
            if not self._backoff_s():
                Sender(self._store, self._transport, self._bearer).send(until=time.monotonic() + self._timeout_s)
                return
            with self._store.reading() as connection:
                self._is_behind = was_unanswered(connection, self.url)

    def counts(self) -> dict[str, int]:
        """How many items wait for this server, are locked, or were set aside."""
        with self._store.reading() as connection:
            return outbox.counts(connection, self.url)

    def unsent(self, course: str) -> set[str]:
        """The steps of a course with events on this device that the server does not know yet."""
        with self._store.reading() as connection:
            return outbox.steps_unsent(connection, self.url, course)

    def progress(self) -> Answer[Overview]:
        """The learner at a glance."""
        return self._read(path_of("progress"))

    def course_progress(self, course: str) -> Answer[CourseProgress]:
        """How the learner stands in a course, module by module and step by step."""
        return self._read(path_of("progress", "courses", course))

    def history(self, days: int = 30) -> Answer[History]:
        """What the learner did on each of the last days."""
        return self._read(path_of("progress", "history", days=days))

    def outline(self, course: str) -> Answer[Outline]:
        """A course as its author wrote it, without the answers."""
        return self._read(path_of("courses", course))

    def step(self, course: str, step: str) -> Answer[StepShown]:
        """A step with its files: text by path."""
        return self._read(path_of("courses", course, "steps", step))

    def enroll(self, course: str) -> bool:
        """Enroll an account in a course; False for a guest, who cannot."""
        return self._reader.enroll(path_of("courses", course, "enrollment"))

    def feedback(self, event: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """The server's verdict on a recorded answer: score, passed, feedback; None if it cannot be had.

        To get it, the attempt is sent once more under the same id, and so counts once.
        """
        return self._reader.verdict(event)

    def courses(self) -> list[CourseListed]:
        """All courses that there are, in order of id."""
        return self.catalog().data

    def catalog(self) -> Answer[list[CourseListed]]:
        """All courses, in order of id, with the age of the oldest of the pages that they were read in."""
        pages: list[Answer[Any]] = []
        cursor: str | None = None
        while True:
            pages.append(self._read(path_of("courses", limit=_PAGE, cursor=cursor)))
            cursor = pages[-1].data["next_cursor"]
            if cursor is None:
                return together([course for page in pages for course in page.data["items"]], pages)

    def read(self, path: str) -> Answer[Any]:
        """The answer to a GET of any path below the API's base path, such as `/progress/streak`."""
        return self._read(path)

    def cached(self, path: str, age_s: float | None = None) -> Answer[Any] | None:
        """The last known answer, without asking; with `age_s`, only if it is younger, in seconds, and not outdated."""
        return self._reader.cached(path, age_s)

    def ask(self, method: str, path: str, body: object = None) -> AbstractContextManager[Stream]:
        """The answer to a request of any kind, as it arrives; `path` is as in `read`, or begins with `/api/`.

        Unlike an event, it is sent once, and not kept if the server cannot be reached.
        """
        return asked(self._store, self._transport, self._bearer, request_of(method, path, body))

    def close(self) -> None:
        """Stop trying. What waits is sent by the next program that uses the outbox."""
        if self._background is not None:
            self._background.close()
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _read(self, path: str) -> Answer[Any]:
        """Read an answer; if it shows that the server is back, send what waits and read again."""
        answer = self._reader.read(path)
        if self._is_behind and answer.is_fresh:
            self._is_behind = False
            with suppress(NotSaved):  # as above
                sender = Sender(self._store, self._transport.within(_EARLY_S), self._bearer, early=True)
                sent = sender.send(until=time.monotonic() + _EARLY_S)
                if sent is None or sent.again_in_s is None:
                    return self._reader.read(path)
        return answer

    def _sent_now(self, ids: Sequence[str]) -> list[Outcome]:
        """Send at once, unless the server could not be reached a moment ago and the background will try again."""
        is_tried = self._background is None or not self._backoff_s()
        sent = self._tried(ids) if is_tried else None
        with self._store.reading() as connection:
            left = {one: outbox.find(connection, one) for one in ids}
            why = sent.why if sent else OTHER_SENDS if is_tried else keeps_back(connection, self.url)
        if self._background is not None and any(one and one.state == WAITING for one in left.values()):
            self._background.wake()
        known = sent.outcomes if sent else {}
        return [known.get(one) or _outcome(one, left[one], why) for one in ids]

    def _tried(self, ids: Sequence[str]) -> Sent | None:
        try:
            return self._send_or_wait(time.monotonic() + self._timeout_s, ids)
        except NotSaved as error:  # that it was sent could not be noted; the events themselves are safe
            return Sent({}, error.detail)

    def _send_or_wait(self, until: float, ids: Sequence[str] | None = None) -> Sent | None:
        """Send, or wait while another program sends, until none of `ids` waits; None if this call never sent."""
        sender = Sender(self._store, self._transport, self._bearer)
        while (sent := sender.send()) is None and time.monotonic() < until:
            time.sleep(_LOOK_AGAIN_S)
            if ids is not None and not self._any_waits(ids):
                break
        return sent

    def _any_waits(self, ids: Sequence[str]) -> bool:
        with self._store.reading() as connection:
            found = (outbox.find(connection, one) for one in ids)
            return any(one is not None and one.state == WAITING for one in found)

    def _backoff_s(self) -> float:
        with self._store.reading() as connection:
            return backoff_s(connection, self.url)

    def _try_once(self) -> float | None:
        """For the background: send if it is time; returns the seconds until the next try, None if nothing waits."""
        try:
            wait_s = self._backoff_s()
            if wait_s > 0:
                return wait_s
            sent = Sender(self._store, self._transport, self._bearer).send()
            if sent is None:
                return _LOOK_AGAIN_S * 10
            if sent.again_in_s is not None:
                return sent.again_in_s
            # What still waits needs somebody to sign in, which may happen in another program on this device.
            return _TRY_AGAIN_S if self.counts()[WAITING] else None
        except NotSaved:  # for example a full disk; whoever records next is told
            return _TRY_AGAIN_S


def _outcome(event_id: str, item: outbox.Item | None, why: str | None) -> Outcome:
    """What became of an event, from its item; an event that is gone from the outbox was recorded by another program."""
    if item is None:
        return Outcome(event_id, "recorded")
    if item.state == WAITING:
        return Outcome(event_id, "saved", item.reason or why)
    return Outcome(event_id, "locked" if item.state == LOCKED else "refused", item.reason)
