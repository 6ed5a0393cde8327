"""Make ledger entries from what is recorded."""

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
    """A learner locked by this transaction."""

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
    """Append a server's entry to a learner's ledger, add it to their sums, and return it with its changes.

    `name` is the present id of the module that the entry is about, if any.
    """
    changes = learner.standing.apply(made, name=name, today=made.day)
    learner.head += 1
    return entry_of((learner.id, learner.head), event, known, made, SERVER, changes), changes


def no_grader(config: Mapping[str, Any], response: Any) -> int:
    """Stand in for a grader where there can be no answer."""
    raise AssertionError(f"nothing to grade by {config} in {response}")
