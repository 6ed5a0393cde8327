"""What recording must know before it judges, read by one statement after the lock, so that it is of one moment."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from sqlalchemy.engine import Connection

from headway.domain.enrolled import Enrolled
from headway.domain.progress import RunSum
from headway.domain.sums import RunKey
from headway.domain.webhooks import Endpoint
from headway.store import achievements, courses, entries, learners, roster, rows, sums, webhooks
from headway.store.entries import Known

_RUNS: Final = sums.of_kind(sums.RUNS, "learner_id", "course_id")


class Mark(NamedTuple):
    """How far a learner's sums have been moved: by the ledger's last entry (empty for none), and the epoch."""

    event_id: str
    epoch: int


class Facts(NamedTuple):
    """What was read, each by its key; keys without a row are missing.

    `session_ends` are times by token hash; `known` entries by (learner, event id); `heads` the last numbers of ledgers;
    `marks` how far learners' sums have been moved. `joined` are the learners to whom guests brought events; `reset`
    those who ever reset anything. `versions` are those in force, by course; `judging` those by which all were judged,
    where another is in force by now. `runs` are (learner, key, value) of the (learner, course) pairs asked for.
    `achievements` is the version of the definitions; `enrolled` are rows of rosters; `endpoints` those of webhooks.
    """

    session_ends: dict[str, int]
    known: dict[tuple[str, str], Known]
    heads: dict[str, int]
    marks: dict[str, Mark]
    joined: set[str]
    reset: set[str]
    versions: dict[str, int]
    judging: dict[str, int]
    runs: list[tuple[str, RunKey, RunSum]]
    achievements: int
    enrolled: dict[roster.Pair, Enrolled]
    endpoints: list[Endpoint]


def facts(
    connection: Connection,
    *,
    token_hashes: Iterable[str],
    event_ids: Iterable[tuple[str, str]],
    learner_ids: Iterable[str],
    courses_of: Iterable[tuple[str, str]],
) -> Facts:
    """Read all of these at once; `courses_of` are (learner, course) pairs."""
    of_learners = set(courses_of)
    sessions, known, heads, versions, runs, defined, enrolled, hooks = rows.ask(
        connection,
        learners.sessions_asked(token_hashes),
        entries.known_asked(event_ids),
        learners.heads_asked(learner_ids),
        courses.versions_asked({course_id for _, course_id in of_learners}),
        rows.Question(_RUNS.table, of_learners, _RUNS.what, _RUNS.by),
        achievements.set_asked(),
        roster.rows_asked(of_learners),
        webhooks.endpoints_asked(),
    )
    joined, reset = ({row[0] for row in heads if row[2] & bit} for bit in (1, 2))
    marks = {row[0]: Mark(row[4] or "", row[3]) for row in heads}
    found = [(row[0], _RUNS.read_key(row), _RUNS.read_value(row)) for row in runs]
    judging = {row[0]: row[2] for row in versions if row[1] != row[2]}
    known_events, rosters = entries.known_answered(known), roster.rows_answered(enrolled)
    ends, now = _pairs(sessions), defined[0][0]
    versions_now, heads_now = _pairs(versions), _pairs(heads)
    of_all = now, rosters, webhooks.endpoints_answered(hooks)
    return Facts(ends, known_events, heads_now, marks, joined, reset, versions_now, judging, found, *of_all)


def _pairs(found: Iterable[rows.Row]) -> dict[str, int]:
    return {row[0]: row[1] for row in found}
