"""Mails: handed to an SMTP server, or printed to the log where there is none."""

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from email.errors import MessageError
from email.headerregistry import Address, BaseHeader, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import formatdate, make_msgid
from enum import StrEnum
from functools import partial
from smtplib import (
    SMTP,
    SMTP_SSL,
    SMTPAuthenticationError,
    SMTPDataError,
    SMTPException,
    SMTPNotSupportedError,
    SMTPRecipientsRefused,
    SMTPResponseException,
)
from socket import socket
from typing import Any, Final, NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit

import structlog

from headway.http.watch import Watch
from headway.ledger.emails import is_mailable
from headway.settings import Settings

log = structlog.get_logger()

PATIENCE_S: Final = 20
# For coming in, and for each letter: the patience of a socket begins anew with each byte.
WHOLE_S: Final = 30
_TAKES: Final = 250  # whatever else is said of a sender is none of that: half of an answer that was cut off, too
_FOR_GOOD: Final = 500  # replies from here on always refuse
# So many letters that each cost a connection, with none in between that did not, are the server's fault, not theirs.
_LOST_MAX: Final = 3
# On the same machine nobody listens in between, and a certificate is seldom one.
LOCAL: Final = frozenset(["localhost", "127.0.0.1", "::1"])


class Letter(NamedTuple):
    """A mail of plain text, and perhaps the same as HTML.

    `known_as` is what its Message-ID is made of, the same however often it is sent; `unsubscribe` the address by which
    whoever gets it wants no more of its kind, at once (RFC 8058).
    """

    to: str
    subject: str
    text: str
    html: str | None = None
    known_as: str | None = None
    unsubscribe: str | None = None


class Carried(StrEnum):
    """What came of a letter: the mail server took it, never will, or not now."""

    TAKEN = "taken"
    REFUSED = "refused"
    LATER = "later"


class _Whole(UnstructuredHeader, BaseHeader):
    """A header that stands in one line: folded, a long address would be made into encoded words, which nobody reads."""

    def fold(self, *, policy: Any) -> str:
        return f"{self.name}: {self}{policy.linesep}"


_HEADERS: Final = HeaderRegistry()
_HEADERS.map_to_type("list-unsubscribe", _Whole)
_POLICY: Final = EmailPolicy(header_factory=_HEADERS)


class Unencrypted(SMTPException):
    """The mail server offers no encryption: a code that sets a password would be there for all to read."""


class _Watched(SMTP):
    """An SMTP client whose connection is watched from before it is encrypted on."""

    watch: Watch

    def __init__(self, *args: Any, watch: Watch | None = None, **kwargs: Any) -> None:
        if watch is not None:  # the other kind has one by now
            self.watch = watch
        super().__init__(*args, **kwargs)

    def _get_socket(self, *args: Any) -> socket:
        connected: socket = super()._get_socket(*args)  # type: ignore[misc]  # smtplib's own hook for this, untyped
        self.watch.add(connected)
        return connected

    def close(self) -> None:
        """As it is, and watch it no more."""
        super().close()
        self.watch.close()


class _WatchedSafe(SMTP_SSL, _Watched):
    """The same, encrypted from the start: SMTP_SSL encrypts what the other connects."""

    def __init__(self, *args: Any, watch: Watch, **kwargs: Any) -> None:
        self.watch = watch
        super().__init__(*args, **kwargs)


class Mail:
    """The mail of a process."""

    def __init__(self, settings: Settings) -> None:
        self._server = urlsplit(settings.smtp_url) if settings.smtp_url else None
        self._sender = settings.mail_from or ""

    def send(self, letter: Letter) -> bool:
        """Hand a letter over, in a thread that nobody waits for; whether it was taken.

        What fails is told in the log, without the letter.
        """
        if self._server is None:
            log.warning("mail_printed", to=letter.to, subject=letter.subject, text=letter.text)
            return True
        try:
            message = _message(self._sender, letter)
            server = _connected(self._server)
            with server.watch.within(WHOLE_S), server:
                server.send_message(message, self._sender, [letter.to])
        except (SMTPException, MessageError, OSError, ValueError) as error:
            _tell_failed(error)
            return False
        return True

    @contextmanager
    def carrying(self) -> Iterator["Carrying"]:
        """A way to hand letters over, one after the other over one connection."""
        carrying = Carrying(self._server, self._sender)
        try:
            yield carrying
        finally:
            carrying.leave()

    def fault(self) -> str | None:
        """Why the mail server takes no mails of ours; None where it does, or there is none. No mail is sent."""
        if self._server is None:
            return None
        try:
            server = _connected(self._server)
            with server.watch.within(WHOLE_S), server:
                code, _ = server.mail(self._sender)
                return None if code == _TAKES else f"it refuses mails of {self._sender} ({code})"
        except (SMTPException, OSError, ValueError) as error:
            return _in_words(error)


class Carrying:
    """A connection over which letters go, made with the first of them, and anew where one of them cost it.

    A letter over which it is lost is for later. Where none can be made, or it is lost again and again, no mail server
    `is_there`.
    """

    def __init__(self, url: SplitResult | None, sender: str) -> None:
        self._url = url
        self._sender = sender
        self._server: _Watched | None = None
        self._lost = 0  # connections, with no letter in between of which the server said anything
        self.is_there = url is not None

    def ready(self) -> Callable[[Letter], Carried] | None:
        """What hands the next letter over, with the connection made by now; None where no mail server is there."""
        server = self._reached()
        return None if server is None else partial(self._carry, server)

    def _carry(self, server: _Watched, letter: Letter) -> Carried:
        try:
            carried = self._send(server, letter)
        except (SMTPException, OSError) as error:
            _tell_failed(error)
            self._lose()
            return Carried.LATER
        if server.sock is None:  # smtplib hangs up after a reply of 421
            self._lose()
        else:
            self._lost = 0
        return carried

    def _reached(self) -> _Watched | None:
        if self._server is None and self._url is not None and self.is_there:
            try:
                self._server = _connected(self._url)
            except (SMTPException, OSError, ValueError) as error:
                _tell_failed(error)
                self.is_there = False
        return self._server

    def _lose(self) -> None:
        if self._server is not None:
            self._server.close()
        self._server = None
        self._lost += 1
        self.is_there = self._lost < _LOST_MAX

    def _send(self, server: _Watched, letter: Letter) -> Carried:
        """An error is about more than this letter."""
        try:
            with server.watch.within(WHOLE_S):
                server.send_message(_message(self._sender, letter), self._sender, [letter.to])
        except SMTPRecipientsRefused as error:
            return _refused(next(iter(error.recipients.values()))[0])
        except SMTPDataError as error:
            return _refused(error.smtp_code)
        except (SMTPNotSupportedError, MessageError, ValueError) as error:
            # An address that is none, or that this server cannot write to.
            log.error("mail_refused", error=type(error).__name__, code=None)  # noqa: TRY400 - as in `send`
            return Carried.REFUSED
        return Carried.TAKEN

    def leave(self) -> None:
        """End the connection; one that was lost is asked nothing more."""
        if self._server is not None:
            with suppress(SMTPException, OSError), self._server.watch.within(WHOLE_S):
                self._server.quit()
            self._server.close()


def _in_words(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not believed: {error.verify_message}"
    if isinstance(error, Unencrypted):
        return "it offers no encryption (STARTTLS)"
    answer = getattr(error, "smtp_code", None)
    if isinstance(error, SMTPAuthenticationError):
        return f"it refuses the user or the password ({answer})"
    if isinstance(error, SMTPNotSupportedError):
        return "it lets nobody sign in there"
    return f"{type(error).__name__} ({answer})" if answer else type(error).__name__


def _tell_failed(error: Exception) -> None:
    # What servers answer repeats addresses, so that only the kind and the code of an answer are told.
    log.error("mail_failed", error=type(error).__name__, code=getattr(error, "smtp_code", None))


def _refused(code: int) -> Carried:
    is_final = code >= _FOR_GOOD
    log.warning("mail_refused" if is_final else "mail_put_off", code=code)
    return Carried.REFUSED if is_final else Carried.LATER


def _message(sender: str, letter: Letter) -> EmailMessage:
    message = EmailMessage(_POLICY)
    message["From"] = sender
    # As one address, or none: text with a comma would be two, and the letter be a stranger's to read; what is in
    # parentheses would be left out, and the letter be counted as another mailbox's.
    if not is_mailable(letter.to):
        raise ValueError("an address with quotes or comments in it")
    message["To"] = Address(addr_spec=letter.to)
    message["Subject"] = letter.subject
    message["Date"] = formatdate()
    domain = sender.rpartition("@")[2].rstrip(">")
    message["Message-ID"] = f"<{letter.known_as}@{domain}>" if letter.known_as else make_msgid(domain=domain)
    message["Auto-Submitted"] = "auto-generated"
    if letter.unsubscribe is not None:
        message["List-Unsubscribe"] = f"<{letter.unsubscribe}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(letter.text)
    if letter.html is not None:
        message.add_alternative(letter.html, subtype="html")
    return message


def _connected(url: SplitResult) -> _Watched:
    """A connection that is encrypted wherever it leaves the machine, and signed in where the address says as whom."""
    watch = Watch()
    try:
        with watch.within(WHOLE_S):
            return _signed_in(url, watch)
    except BaseException:
        watch.close()
        raise


def _signed_in(url: SplitResult, watch: Watch) -> _Watched:
    host = url.hostname or ""
    encryption = _encryption(host)
    server = (
        _WatchedSafe(host, url.port or 465, timeout=PATIENCE_S, context=encryption, watch=watch)
        if url.scheme == "smtps"
        else _Watched(host, url.port or 587, timeout=PATIENCE_S, watch=watch)
    )
    try:
        server.ehlo()
        if url.scheme == "smtp" and server.has_extn("starttls"):
            # One of this machine goes without where it fails to do as it offers: it cannot read its certificate, say.
            with suppress(SMTPResponseException) if host in LOCAL else nullcontext():
                server.starttls(context=encryption)
        elif url.scheme == "smtp" and host not in LOCAL:
            raise Unencrypted("no STARTTLS")
        if url.username:
            server.login(unquote(url.username), unquote(url.password or ""))
    except BaseException:
        server.close()
        raise
    return server


def _encryption(host: str) -> ssl.SSLContext:
    """As servers ask for it before they take a password: who a server is must be shown by those elsewhere alone."""
    context = ssl.create_default_context()
    if host in LOCAL:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context
