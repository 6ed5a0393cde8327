"""How the sum of a step is stored in its table."""

import msgspec

from headway.domain.overrides import Override
from headway.domain.progress import Completion, Scored, StepSum
from headway.domain.sums import StepKey
from headway.store import rows


def step_value(row: rows.Row) -> StepSum:
    """The sum that a whole row of `step_sum` holds."""
    events, attempts, passed, scores, total, best = row[4:10]
    first_at, first_event, first_score, latest_at, latest_event, latest_score = row[10:16]
    at, by, day, version, duration_ms, hints, updated_at, unscored, graded_best, override, first_by = row[16:]
    return StepSum(
        events,
        attempts,
        passed,
        scores,
        total,
        best,
        None if first_at is None else Scored(first_at, first_event, first_score, first_by or 0),
        None if latest_at is None else Scored(latest_at, latest_event, latest_score),
        None if at is None else Completion(at, by, day, version),
        duration_ms,
        hints,
        updated_at,
        unscored,
        graded_best,
        *word(at, override),
    )


def step_row(learner_id: str, key: StepKey, one: StepSum) -> rows.Row:
    """The row of `step_sum` that holds a sum."""
    return (
        learner_id,
        *key,
        *one[:6],
        *(one.first[:3] if one.first else (None, None, None)),
        *(one.latest[:3] if one.latest else (None, None, None)),
        *(one.completion or (None, None, None, None)),
        one.duration_ms,
        one.hints,
        one.updated_at,
        one.unscored,
        one.graded_best,
        None if one.override is None else msgspec.json.encode((*one.override, one.is_done)).decode(),
        one.first.version or None if one.first else None,
    )


def word(done_at: int | None, stored: str | None) -> tuple[Override | None, bool]:
    """The override, and whether the learner completed the step; without an override, whether it is completed at all."""
    if stored is None:
        return None, done_at is not None
    said = msgspec.json.decode(stored)
    # Rows from before `is_done` was stored lack it: audit finds them, and `rebuild` corrects them.
    return Override(*said[:5]), said[5:] == [True]
