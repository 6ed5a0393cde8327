"""`headway reset`: have a learner begin from nothing."""

from typing import Annotated
from uuid import uuid4

import typer

from headway.cli.given import confirm
from headway.cli.naming import LearnerArgument, learner_named
from headway.cli.opening import DatabaseOption, database_of
from headway.cli.screen import JsonOption, counted, now, show, show_json


def reset(
    learner: LearnerArgument,
    course: Annotated[
        str | None, typer.Option("--course", metavar="ID", help="In this course alone.", show_default=False)
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Have a learner begin from nothing. The ledger keeps what was."""
    from headway.ledger.reset import ResetWanted
    from headway.ledger.reset import reset as run
    from headway.store.catalog import Catalog
    from headway.views.subject import UnknownLearner

    with database_of(database) as opened:
        found = learner_named(opened, learner)
        if found is None:
            raise UnknownLearner(f"{learner} was erased; there is nothing left to reset", field="learner")
        if not yes:
            scope = "everything" if course is None else f"course {course}"
            confirm(f"Clear {scope} of {found.shown}?")
        cleared = run(opened, Catalog(), ResetWanted(found.id, str(uuid4()), course), now=now())
    if as_json:
        show_json({"cleared": cleared._asdict()})
        return
    counts = f"{counted(cleared.steps, 'step')}, {counted(cleared.attempts, 'attempt')}"
    show(f"Cleared: {counts}, {counted(cleared.sessions, 'session')}, {counted(cleared.days, 'active day')}.")
