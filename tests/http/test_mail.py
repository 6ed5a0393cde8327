"""Mails on their way out: to one address, encrypted wherever they leave the machine, with no password in clear."""

import datetime as dt
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from structlog.testing import capture_logs

from benchmarks.servers import free_port
from headway.http import mail
from headway.http.mail import Carried, Letter, Mail
from headway.settings import Settings
from tests.http.postbox import settings_of, trickling

LETTER = Letter("ada@example.org", "A new password", "The code is here.\n")


class Box(Message):
    """A mailbox, and who signed in to hand a letter over."""

    def __init__(self) -> None:
        super().__init__()
        self.letters: list[Any] = []
        self.credentials: list[Any] = []

    def handle_message(self, message: Any) -> None:
        self.letters.append(message)

    def authenticate(self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        self.credentials.append((data.login.decode(), data.password.decode()))
        return AuthResult(success=True)


@contextmanager
def receiving(**options: Any) -> Iterator[tuple[Box, int]]:
    """A mail server, and its port."""
    box, port = Box(), free_port()
    controller = Controller(box, hostname="127.0.0.1", port=port, authenticator=box.authenticate, **options)
    controller.start()
    try:
        yield box, port
    finally:
        controller.stop()


@pytest.fixture
def encryption(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A server's certificate for `localhost`, which this process trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    whole = tmp_path / "localhost.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    whole.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    monkeypatch.setenv("SSL_CERT_FILE", str(whole))
    monkeypatch.setattr(mail, "LOCAL", frozenset())
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(whole)
    return context


def send(url: str | None, letter: Letter = LETTER) -> list[Any]:
    """What the log says of a letter that was sent."""
    settings = Settings(database_url="sqlite:///none.db", smtp_url=url, mail_from="Headway <headway@example.org>")
    with capture_logs() as log:
        Mail(settings).send(letter)
    return list(log)


def test_a_relay_of_this_machine_needs_no_encryption() -> None:
    with receiving() as (box, port):
        assert send(f"smtp://localhost:{port}") == []
    (letter,) = box.letters
    assert (letter["From"], letter["To"], letter["X-MailFrom"]) == (
        "Headway <headway@example.org>",
        "ada@example.org",
        "headway@example.org",
    )
    assert letter["Date"]
    assert letter["Message-ID"].endswith("@example.org>")


@pytest.mark.parametrize("is_here", [True, False])
def test_only_a_relay_of_this_machine_gets_mails_where_it_cannot_encrypt_as_it_offers(
    monkeypatch: pytest.MonkeyPatch, is_here: bool
) -> None:
    if not is_here:
        monkeypatch.setattr(mail, "LOCAL", frozenset())
    taken = (b"250 OK\r\n", b"250 OK\r\n", b"354 go on\r\n", b"250 OK\r\n", b"221 bye\r\n")
    offered = (b"220 hello\r\n", b"250-localhost\r\n250 STARTTLS\r\n", b"454 TLS not available\r\n")
    with trickling(*offered, *taken) as port:
        failed = send(f"smtp://localhost:{port}")
    assert [(one["event"], one["code"]) for one in failed] == ([] if is_here else [("mail_failed", 454)])


def test_by_starttls_the_password_is_sent_encrypted(encryption: ssl.SSLContext) -> None:
    with receiving(tls_context=encryption, auth_require_tls=True, require_starttls=True) as (box, port):
        assert send(f"smtp://me%40here:se%3Acret@localhost:{port}") == []
    assert (len(box.letters), box.credentials) == (1, [("me@here", "se:cret")])


@pytest.mark.parametrize("how", ["smtp", "smtps"])
def test_a_server_of_this_machine_takes_a_password_whatever_its_certificate(
    encryption: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.undo()  # neither is the certificate trusted, nor is this machine another one
    options: dict[str, Any] = (
        {"tls_context": encryption, "require_starttls": True}
        if how == "smtp"
        else {"ssl_context": encryption, "auth_require_tls": False}
    )
    with receiving(**options) as (box, port):
        assert send(f"{how}://me:secret@127.0.0.1:{port}") == []
    assert (len(box.letters), box.credentials) == (1, [("me", "secret")])


def test_why_a_server_takes_no_mails_is_said_in_words(
    encryption: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fault(port: int) -> str | None:
        url = f"smtp://me:no@localhost:{port}"
        return Mail(Settings(database_url="sqlite:///none.db", smtp_url=url, mail_from="h@example.org")).fault()

    with receiving(tls_context=encryption) as (_, port):
        assert fault(port) is None
        monkeypatch.delenv("SSL_CERT_FILE")
        assert fault(port) == "its certificate is not believed: self-signed certificate"
    with receiving() as (_, port):
        assert fault(port) == "it offers no encryption (STARTTLS)"
        monkeypatch.undo()
        assert fault(port) == "it lets nobody sign in there"
    with trickling(
        b"220 hello\r\n", b"250-localhost\r\n250 AUTH PLAIN LOGIN\r\n", b"535 no\r\n", b"535 no\r\n"
    ) as port:
        assert fault(port) == "it refuses the user or the password (535)"


def test_by_smtps_all_is_encrypted(encryption: ssl.SSLContext) -> None:
    with receiving(ssl_context=encryption, auth_require_tls=False) as (box, port):
        assert send(f"smtps://me:secret@localhost:{port}") == []
    assert (len(box.letters), box.credentials) == (1, [("me", "secret")])


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
def test_a_server_that_cannot_show_who_it_is_gets_nothing(
    encryption: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    how = "tls_context" if scheme == "smtp" else "ssl_context"
    with receiving(**{how: encryption}) as (box, port):
        (failed,) = send(f"{scheme}://me:secret@localhost:{port}")
    assert (failed["event"], failed["error"]) == ("mail_failed", "SSLCertVerificationError")
    assert (box.letters, box.credentials) == ([], [])


# The head of a record of TLS, of which a server sends one byte after the other.
_RECORD = b"\x16\x03\x03\x40\x00"
_ASKED_TO_ENCRYPT = (b"220 hello\r\n", b"250-localhost\r\n250 STARTTLS\r\n", b"220 go on\r\n")


@pytest.mark.parametrize(
    ("url", "said"), [("smtp", [b"220-"]), ("smtp", [*_ASKED_TO_ENCRYPT, _RECORD]), ("smtps", [_RECORD])]
)
def test_a_server_that_answers_byte_by_byte_is_left_wherever_it_is(
    encryption: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch, url: str, said: list[bytes]
) -> None:
    monkeypatch.setattr(mail, "WHOLE_S", 0.5)
    with trickling(*said, more=b"x") as port:
        since = time.monotonic()
        (failed,) = send(f"{url}://localhost:{port}")
        # Once its time is over, and not for anything that it said.
        assert time.monotonic() - since >= mail.WHOLE_S
    assert failed["event"] == "mail_failed"


def test_a_server_that_says_goodbye_byte_by_byte_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail, "WHOLE_S", 1)
    took = (b"250 OK\r\n", b"250 OK\r\n", b"354 go on\r\n", b"250 OK\r\n")
    with (
        trickling(b"220 hello\r\n", b"250 localhost\r\n", *took) as port,
        Mail(settings_of("sqlite:///none.db", port)).carrying() as carrying,
    ):
        carry = carrying.ready()
        assert carry is not None
        assert carry(LETTER) == Carried.TAKEN


@pytest.mark.parametrize("user", ["", "me:secret@"])
def test_without_encryption_no_password_and_no_letter_leave_the_machine(
    monkeypatch: pytest.MonkeyPatch, user: str
) -> None:
    monkeypatch.setattr(mail, "LOCAL", frozenset())
    with receiving(auth_require_tls=False) as (box, port):
        (failed,) = send(f"smtp://{user}localhost:{port}")
    assert failed["error"] == "Unencrypted"
    assert (box.letters, box.credentials) == ([], [])


@pytest.mark.parametrize(
    "to", ["eve@example.com,ada@example.org", "<eve@example.com>ada@example.org", "a\nb@c.d", "eve(1)@x.org"]
)
def test_a_letter_goes_to_one_address_or_nowhere(to: str) -> None:
    with receiving() as (box, port):
        (failed,) = send(f"smtp://localhost:{port}", LETTER._replace(to=to))
    assert failed["event"] == "mail_failed"
    assert "eve@" not in str(failed)
    assert box.letters == []
