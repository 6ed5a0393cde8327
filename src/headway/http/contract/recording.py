"""The operations of recording."""

from collections.abc import Mapping
from typing import Final

from headway.http import events, examples, sent_shapes, steps
from headway.http.contract.operation import Operation

_TAG: Final = "Recording"

OPERATIONS: Final[Mapping[str, Operation]] = {
    "record_events": Operation(
        tag=_TAG,
        method="POST",
        takes=sent_shapes.EventsSent,
        gives={200: events.EventsRecorded},
        refuses=(429,),
        sent=examples.EVENTS_SENT,
        given=examples.EVENTS_RECORDED,
    ),
    "complete_step": Operation(
        tag=_TAG,
        takes=sent_shapes.CompletionSent,
        may_be_empty=True,
        gives={200: steps.StepRecorded},
        refuses=(409, 423, 429),
        sent=examples.COMPLETION_SENT,
        given=examples.STEP_RECORDED,
    ),
    "attempt_step": Operation(
        tag=_TAG,
        takes=sent_shapes.AttemptSent,
        gives={200: steps.AttemptRecorded},
        refuses=(409, 423, 429),
        sent=examples.ATTEMPT_SENT,
        given=examples.ATTEMPT_RECORDED,
    ),
}
