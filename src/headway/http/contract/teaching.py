"""The operations of teaching."""

from collections.abc import Mapping
from typing import Final

from headway.http import examples, grading_shapes
from headway.http.contract.operation import Operation

_TAG: Final = "Teaching"

OPERATIONS: Final[Mapping[str, Operation]] = {
    "list_submissions": Operation(
        tag=_TAG,
        callers="creator",
        gives={200: grading_shapes.SubmissionList},
        has_etag=True,
        given=examples.SUBMISSIONS,
    ),
    "grade_attempt": Operation(
        tag=_TAG,
        callers="creator",
        takes=grading_shapes.GradeSent,
        gives={200: grading_shapes.GradeTold},
        refuses=(409,),
        sent=examples.GRADE_SENT,
        given=examples.GRADE_TOLD,
    ),
    "regrade_step": Operation(
        tag=_TAG,
        callers="creator",
        takes=grading_shapes.RegradeSent,
        gives={200: grading_shapes.RegradeTold},
        refuses=(409,),
        sent=examples.REGRADE_SENT,
        given=examples.REGRADE_TOLD,
    ),
}
