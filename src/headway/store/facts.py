"""What recording must know before it judges: one statement behind the lock, so that all of it is of one moment."""

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy.engine import Connection

from headway.store import courses, entries, learners, rows
from headway.store.entries import Known


class Facts(NamedTuple):
    """When sessions end (by token hash), known (learner, event id) pairs, ends of ledgers, versions in force.

    `joined` are the learners to whom guests brought events.
    """

    session_ends: dict[str, int]
    known: dict[tuple[str, str], Known]
    heads: dict[str, int]
    joined: set[str]
    versions: dict[str, int]


def facts(
    connection: Connection,
    *,
    token_hashes: Iterable[str],
    event_ids: Iterable[tuple[str, str]],
    learner_ids: Iterable[str],
    course_ids: Iterable[str],
) -> Facts:
    """All that is known of these; what is not there is left out."""
    sessions, known, heads, versions = rows.ask(
        connection,
        learners.sessions_asked(token_hashes),
        entries.known_asked(event_ids),
        learners.heads_asked(learner_ids),
        courses.versions_asked(course_ids),
    )
    joined = {row[0] for row in heads if row[2]}
    return Facts(_pairs(sessions), entries.known_answered(known), _pairs(heads), joined, _pairs(versions))


def _pairs(found: Iterable[rows.Row]) -> dict[str, int]:
    return {row[0]: row[1] for row in found}
