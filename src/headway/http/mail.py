"""Mails: handed to an SMTP server, or printed to the log where there is none."""

import ssl
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from smtplib import SMTP, SMTP_SSL, SMTPException
from typing import Final, NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit

import structlog

from headway.settings import Settings

log = structlog.get_logger()

PATIENCE_S: Final = 20
FAILURES: Final = 400  # replies from here on refuse
# A relay on the same machine: nobody listens in between, and its certificate is seldom one.
LOCAL: Final = frozenset(["localhost", "127.0.0.1", "::1"])


class Letter(NamedTuple):
    """A mail of plain text."""

    to: str
    subject: str
    text: str


class Unencrypted(SMTPException):
    """The mail server offers no encryption: a code that sets a password would be there for all to read."""


class Mail:
    """The mail of a process."""

    def __init__(self, settings: Settings) -> None:
        self._server = urlsplit(settings.smtp_url) if settings.smtp_url else None
        self._sender = settings.mail_from or ""

    def send(self, letter: Letter) -> None:
        """Hand a letter over, in a thread that nobody waits for; what fails is told in the log, without the letter."""
        if self._server is None:
            log.warning("mail_printed", to=letter.to, subject=letter.subject, text=letter.text)
            return
        try:
            message = _message(self._sender, letter)
            with _connected(self._server) as server:
                server.send_message(message, self._sender, [letter.to])
        except (SMTPException, MessageError, OSError, ValueError) as error:
            # What servers answer repeats addresses, so that only the kind and the code of an answer are told.
            log.error("mail_failed", error=type(error).__name__, code=getattr(error, "smtp_code", None))  # noqa: TRY400 - see above

    def fault(self) -> str | None:
        """Why the mail server takes no mails of ours; None where it does, or there is none. No mail is sent."""
        if self._server is None:
            return None
        try:
            with _connected(self._server) as server:
                code, _ = server.mail(self._sender)
                return None if code < FAILURES else f"it refuses mails of {self._sender} ({code})"
        except (SMTPException, OSError, ValueError) as error:
            answer = getattr(error, "smtp_code", None)
            return f"{type(error).__name__} ({answer})" if answer else type(error).__name__


def _message(sender: str, letter: Letter) -> EmailMessage:
    message = EmailMessage()
    message["From"] = sender
    # As one address, or none: text with a comma would be two, and the letter be a stranger's to read.
    message["To"] = Address(addr_spec=letter.to)
    message["Subject"] = letter.subject
    message["Date"] = formatdate()
    message["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2].rstrip(">"))
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text)
    return message


def _connected(url: SplitResult) -> SMTP:
    """A connection that is encrypted wherever it leaves the machine, and signed in where the address says as whom."""
    host, encryption = url.hostname or "", ssl.create_default_context()
    server = (
        SMTP_SSL(host, url.port or 465, timeout=PATIENCE_S, context=encryption)
        if url.scheme == "smtps"
        else SMTP(host, url.port or 587, timeout=PATIENCE_S)
    )
    try:
        server.ehlo()
        if url.scheme == "smtp" and host not in LOCAL:
            if not server.has_extn("starttls"):
                raise Unencrypted("no STARTTLS")
            server.starttls(context=encryption)
        if url.username:
            server.login(unquote(url.username), unquote(url.password or ""))
    except BaseException:
        server.close()
        raise
    return server
