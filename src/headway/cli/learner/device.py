"""What the learner's commands share: which server, who acts there, and showing what became of an event."""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple, TypeAlias

import typer

from headway.cli.screen import agreeing, counted, say, show, show_json

if TYPE_CHECKING:
    from headway.client import Headway, Outcome
    from headway.client.transport import Transport

QUEUED: Final = 75
LOCKED: Final = "locked"
URL_VARIABLE: Final = "HEADWAY_URL"
TOKEN_VARIABLE: Final = "HEADWAY_TOKEN"  # noqa: S105  # a variable's name
DEFAULT_URL: Final = "http://127.0.0.1:8000"
_SLUG: Final = re.compile(r"^[a-z]+(-[a-z]+)*: ")
_CHANGES: Final = {
    "step_completed": "step {step} completed",
    "module_completed": "module {module} completed",
    "module_unlocked": "module {module} unlocked",
    "course_completed": "course {course} completed",
    "certificate_issued": "certificate issued",
    "achievement_unlocked": "achievement unlocked: {title}",
    "level_changed": "{topic}: {level}",
    "streak_extended": "streak: {current}",
}

ServerOption: TypeAlias = Annotated[
    str | None,
    typer.Option("--server", metavar="URL", help="The server.  [HEADWAY_URL, or where you signed in last]"),
]


class _Server(NamedTuple):
    url: str
    # Whether the user named it: a folder that came from elsewhere may name any server.
    is_own: bool
    # Whether nobody named one, so that it is the usual address of a server on this machine.
    is_guessed: bool = False


@contextmanager
def learner_at(server: str | None, timeout_s: float = 10.0) -> Iterator["Headway"]:
    """Yield the learner at the chosen server: by the flag, HEADWAY_URL, the course's folder, or the last sign-in.

    HEADWAY_TOKEN says who acts where nobody signs in, as in CI; it is not sent to a server that only a folder names.
    """
    from headway.client import Headway

    meant = _server(server)
    token = os.environ.get(TOKEN_VARIABLE) if meant.is_own else None
    with _hinting(meant), Headway(meant.url, token or None, background=False, timeout_s=timeout_s) as headway:
        yield headway


@contextmanager
def reader_at(server: str | None, timeout_s: float = 10.0) -> Iterator["Headway"]:
    """As `learner_at`, for reading: what waits on this device is sent first, if the server can be reached."""
    with learner_at(server, timeout_s) as headway:
        headway.catch_up()
        yield headway


def is_own_server(server: str | None) -> bool:
    """Whether the user chose this server; a course's folder that came from elsewhere may name any."""
    return _server(server).is_own


@contextmanager
def way_to(server: str | None, timeout_s: float = 10.0) -> Iterator["Transport"]:
    """Yield a transport to the chosen server, without an identity."""
    from headway.client.transport import Transport

    meant = _server(server)
    with _hinting(meant), closing(Transport(meant.url, timeout_s)) as transport:
        yield transport


@contextmanager
def _hinting(meant: _Server) -> Iterator[None]:
    """Where the server is guessed and cannot be reached, add to the error how a server is named."""
    from headway.client import Unreachable

    try:
        yield
    except Unreachable as error:
        if not meant.is_guessed:
            raise
        raise Unreachable(f"{error.detail}; --server or {URL_VARIABLE} names your server") from None


@contextmanager
def whoever_is_at(url: str) -> Iterator["Headway"]:
    """Yield the learner who is signed in at a server on this device; HEADWAY_TOKEN is not used."""
    from headway.client import Headway

    with Headway(url, background=False) as headway:
        yield headway


def _server(flag: str | None) -> _Server:
    from headway.cli.learner.folders import course_around
    from headway.client.identities import named_server
    from headway.client.store import Store

    named = flag or os.environ.get(URL_VARIABLE)
    if named:
        return _Server(named, is_own=True)
    around = course_around()
    with Store().reading() as connection:
        own = named_server(connection)
    if around is not None and around.server != (own or DEFAULT_URL):
        return _Server(around.server, is_own=False)
    return _Server(own or DEFAULT_URL, is_own=True, is_guessed=own is None and around is None)


def remember_server(url: str) -> None:
    """Have commands that name no server use this one from now on."""
    from headway.client.identities import name_server
    from headway.client.store import Store

    with Store().writing() as connection:
        name_server(connection, url)


def tell(outcome: "Outcome", what: str, more: dict[str, Any] | None = None, *, as_json: bool) -> None:
    """Show what became of an event; exits with 1 if it was refused, with 75 if it waits on this device."""
    if as_json:
        show_outcome(outcome, more)
    elif outcome.is_recorded:
        show(f"Recorded: {what}{_standing(outcome)}")
        for change in outcome.changes:
            show(f"  {_change(change)}")
    conclude(outcome, what)


def show_outcome(outcome: "Outcome", more: dict[str, Any] | None = None) -> None:
    """Print what became of an event, as JSON."""
    changes = [dict(one) for one in outcome.changes]
    show_json({**outcome._asdict(), "changes": changes, **(more or {})})


def conclude(outcome: "Outcome", what: str) -> None:
    """Do nothing if an event is recorded; else say why it is not, and exit with 1 (refused) or 75 (waits here)."""
    from headway.client.identities import GUEST_GONE, UNHEARD

    if outcome.status == "refused":
        say(f"headway: refused: {why(outcome)}")
        raise typer.Exit(1)
    if outcome.reason in (GUEST_GONE, UNHEARD):
        say(f"Saved on this device, and not sent: {what}. {outcome.reason[0].upper()}{outcome.reason[1:]}.")
        raise typer.Exit(QUEUED)
    if not outcome.is_recorded:
        when = "once its module is open" if outcome.status == LOCKED else "with the next `headway sync`"
        say(f"Saved on this device: {what}. It is sent {when} ({outcome.reason}).")
        raise typer.Exit(QUEUED)


def why(outcome: "Outcome") -> str:
    """Why an event is not recorded, without the problem's slug before the sentence."""
    return _SLUG.sub("", outcome.reason or "the server does not say why")


def say_kept_back(counts: Mapping[str, int]) -> None:
    """Say how many events wait for their modules, and how many were refused."""
    if locked := counts["locked"]:
        waits, modules = agreeing(locked, "waits", "wait"), agreeing(locked, "its module is", "their modules are")
        say(f"{counted(locked, 'event')} {waits} until {modules} unlocked.")
    if aside := counts["aside"]:
        say(f"{counted(aside, 'event')} {agreeing(aside, 'was', 'were')} refused: `headway outbox` says why.")


def _standing(outcome: "Outcome") -> str:
    step = outcome.progress or {}
    best = step.get("best_score")
    scored = f", best {percent(best * 100)}" if isinstance(best, int | float) else ""
    return f" ({str(step['status']).replace('_', ' ')}{scored})." if step.get("status") else "."


def _change(change: Any) -> str:
    told = _CHANGES.get(change.get("type"), "{type}")
    fields = {name: value for name, value in change.items() if isinstance(value, str | int | float)}
    try:
        return told.format(**fields)
    except KeyError:
        return str(change.get("type"))


def percent(value: float | None) -> str:
    """A percentage with two decimals, as people read it."""
    from headway.domain.scores import cut

    return "-" if value is None else f"{cut(value, 2):g} %"
