"""How what is recorded lies in the ledger."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from headway.domain.changes import Change
from headway.domain.events import Event
from headway.domain.progress import Contribution
from headway.domain.recording import SERVER, Circumstances
from headway.domain.standing import Standing
from headway.domain.streaks import write_rules
from headway.store.entries import Entry

_encoded = json.JSONEncoder(separators=(",", ":")).encode


class Learner(Protocol):
    """A learner under this transaction's lock."""

    id: str
    standing: Standing
    head: int


def entry_of(
    place: tuple[str, int],
    event: Event,
    known: Circumstances,
    made: Contribution,
    trust: str,
    changes: Sequence[Change],
) -> Entry:
    """The ledger's row for an event, at its place (learner, number)."""
    return Entry(
        *place,
        event.id,
        event.body,
        known.received_at,
        known.clock_skew,
        known.time_zone,
        known.source,
        known.version,
        made.type,
        made.course,
        made.run,
        made.step,
        made.at,
        made.day,
        trust,
        made.score,
        made.passed,
        made.duration_ms,
        made.hints,
        _encoded(changes) if changes else None,
        write_rules(known.rules),
    )


def entry_of_server(
    learner: Learner, event: Event, known: Circumstances, made: Contribution, name: str = ""
) -> tuple[Entry, list[Change]]:
    """An entry of the server's own behind the last of a learner, whose sums take it in; and what it brought about.

    `name` is what its module is called now, where it is about one.
    """
    changes = learner.standing.apply(made, name=name, today=made.day)
    learner.head += 1
    return entry_of((learner.id, learner.head), event, known, made, SERVER, changes), changes


def no_grader(config: Mapping[str, Any], response: Any) -> int:
    """In the place of a grader where no answer can be."""
    raise AssertionError(f"nothing to grade by {config} in {response}")
