"""How learners are named in all operators' commands: by id, by external id, or by e-mail address."""

from typing import TYPE_CHECKING, Annotated, NamedTuple, TypeAlias

import typer

from headway.cli.screen import counted, say

if TYPE_CHECKING:
    from headway.store.database import Database

NAMES = "An id, an external id or an e-mail address."

LearnerArgument: TypeAlias = Annotated[str, typer.Argument(metavar="LEARNER", help=NAMES, show_default=False)]
LearnerOption: TypeAlias = Annotated[
    str | None, typer.Option("--learner", metavar="LEARNER", help=f"Only this learner. {NAMES}")
]


class Found(NamedTuple):
    """A learner by id, and how they are shown to the operator."""

    id: str
    shown: str


def learner_id_of(database: "Database", named: str) -> str:
    """The id of the learner who is named so, not erased; UnknownLearner if there is none.

    Over HTTP an unknown learner reads as empty. Here it is an error: a mistyped name must change nothing.
    """
    from headway.views.subject import UnknownLearner, is_id

    found = _id_of(database, named)
    if found is None:
        raise UnknownLearner(
            f"there is no learner {named!r}; name one by id, external id (oulad:11391) or e-mail address"
        )
    if is_id(named) and found != named.lower():
        say(f"{named} was a guest, and is part of the account {found} now: that is what is looked at.")
    return found


def _id_of(database: "Database", named: str) -> str | None:
    from headway.store import learners
    from headway.views import subject

    with database.read() as connection:
        is_address = "@" in named and named.isprintable()
        account = learners.by_email(connection, named.strip().lower()) if is_address else None
        # External ids may hold an @ as well.
        return subject.named(connection, named) if account is None else str(account["id"])


def learner_named(database: "Database", named: str) -> Found | None:
    """The learner who is named so; None if they were erased, UnknownLearner if there never was one."""
    from headway.importers import learners as imported
    from headway.store import learners
    from headway.views.subject import UnknownLearner

    try:
        learner_id = learner_id_of(database, named)
    except UnknownLearner:
        if imported.erased(database, [named]):
            return None
        raise
    with database.read() as connection:
        row = learners.by_id(connection, learner_id)
        _, events, _ = learners.possessions(connection, learner_id)
    if row is None:
        return None
    name = row["email"] or row["external_id"] or row["display_name"] or row["id"]
    return Found(learner_id, f"{name} ({row['kind']}, {counted(events, 'event')})")
