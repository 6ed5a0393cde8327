"""What `doctor` finds in the process and its settings."""

import platform
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from headway import __version__
from headway.cli.screen import agreeing, counted

if TYPE_CHECKING:
    from headway.settings import Settings

_PACKAGES: Final = ("litestar", "uvicorn", "msgspec", "sqlalchemy", "psycopg")
# This version was written after this day: a clock that shows less is wrong.
_NEVER_BEFORE: Final = datetime(2026, 1, 1, tzinfo=UTC)


class State(StrEnum):
    """How serious a finding is."""

    FINE = "fine"
    NOTE = "note"
    WRONG = "wrong"


class Finding(NamedTuple):
    """One thing that was looked at; `advice` says what to do about it."""

    name: str
    state: State
    value: str
    advice: str = ""


def judged(name: str, value: object, *, fine: bool, advice: str, otherwise: State = State.WRONG) -> Finding:
    """A finding that is fine, or else has the state `otherwise` and advice."""
    return Finding(name, State.FINE, str(value)) if fine else Finding(name, otherwise, str(value), advice)


def of_process() -> Iterator[Finding]:
    """Versions, clock and time zones."""
    from importlib.metadata import version

    yield Finding("headway", State.FINE, __version__)
    yield Finding("python", State.FINE, f"{platform.python_version()} on {platform.system()} {platform.machine()}")
    yield Finding("packages", State.FINE, ", ".join(f"{name} {version(name)}" for name in _PACKAGES))
    now = datetime.now(UTC)
    yield judged("clock", f"{now:%Y-%m-%d %H:%M:%S} UTC", fine=now >= _NEVER_BEFORE, advice="Set the machine's clock.")
    yield _time_zones()


def _time_zones() -> Finding:
    from importlib.metadata import version
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

    try:
        ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Kolkata")
    except ZoneInfoNotFoundError:
        return Finding("time zones", State.WRONG, "none", "Install the package tzdata.")
    return Finding("time zones", State.FINE, f"{len(available_timezones())} known, tzdata {version('tzdata')}")


def _mail(settings: "Settings") -> Finding:
    from urllib.parse import urlsplit

    if settings.smtp_url is None:
        return Finding("mail", State.NOTE, "to the log", "Whoever resets a password needs a mail: set smtp_url.")
    server = urlsplit(settings.smtp_url)
    return Finding("mail", State.FINE, f"{server.scheme}://{server.hostname} as {settings.mail_from}")


def _mail_to_learners(settings: "Settings") -> Finding:
    from headway.http.mailing import missing_for_mails, why_no_mails

    advice = "Nobody can ask for e-mail about streaks, weeks, certificates and grades until that is set."
    is_fine, missing = why_no_mails(settings) is None, missing_for_mails(settings)
    told = "what they ask for" if is_fine else "none: public_url is not https, which unsubscribing needs"
    if missing:
        told = f"none: {' and '.join(missing)} {agreeing(len(missing), 'is', 'are')} not set"
    return judged("mail to learners", told, fine=is_fine, advice=advice, otherwise=State.NOTE)


def _credentials(settings: "Settings") -> Finding:
    if not settings.public_url:
        return Finding(
            "credentials", State.NOTE, "none", "Certificates have signed credentials once public_url is set."
        )
    told = f"as {settings.public_url}"
    if not settings.public_url.startswith("https://"):
        return Finding("credentials", State.NOTE, told, "They name this address for good: serve it by HTTPS.")
    if settings.signing_secret is None:
        advice = "The key that signs lies open in the database and its backups: set signing_secret."
        return Finding("credentials", State.NOTE, told, advice)
    return Finding("credentials", State.FINE, told)


def of_settings(settings: "Settings") -> Iterator[Finding]:
    """Where settings come from, and what they say."""
    from headway.ledger.writer import EVENTS_A_TRANSACTION, EVENTS_WAITING_MAX
    from headway.settings import config_path

    yield Finding("settings file", State.FINE, str(config_path() or "none"))
    yield Finding(
        "server", State.FINE, f"http://{settings.host}:{settings.port}, {counted(settings.workers, 'worker')}"
    )
    providers = ", ".join(f"{name} ({one.issuer})" for name, one in settings.oidc.items())
    yield Finding("sign-in by others", State.FINE, providers or "none")
    yield _mail(settings)
    yield _mail_to_learners(settings)
    yield _credentials(settings)
    yield Finding("trusted proxies", State.FINE, settings.trusted_proxies or "none")
    queue = f"up to {EVENTS_A_TRANSACTION:,} events a transaction, {EVENTS_WAITING_MAX:,} waiting, then 503"
    yield Finding("queue", State.FINE, queue)
    yield judged(
        "standard streams",
        sys.stdout.encoding,
        fine=sys.stdout.encoding.lower().replace("-", "") == "utf8",
        advice="Names and titles may not print: set PYTHONIOENCODING=utf-8.",
        otherwise=State.NOTE,
    )
