"""Certificates: a learner's own, and one by its id for anybody: as JSON, as a PDF, as a signed credential."""

from functools import partial
from typing import Final

from litestar import get, post
from litestar.params import FromPath
from msgspec import Struct
from sqlalchemy.engine import Connection, RowMapping

from headway.certificates.credential import signed_credential, signed_status
from headway.certificates.facts import CertificateFacts, Issuer
from headway.certificates.pdf import certificate_pdf, made_by
from headway.domain.errors import HeadwayError
from headway.domain.times import format_time
from headway.http import etags, who
from headway.http.bodies import read_fields
from headway.http.creators import may_act_for
from headway.http.cursors import LIMIT, Cursor, Limit, cut
from headway.http.exchange import Asked, exchange_of
from headway.http.ids import is_id
from headway.http.issuer import FOR_ALL, as_bytes, issuer_of, signer_of, signing_issuer
from headway.http.refusals import NotFound, Unauthorized
from headway.http.reply import PERSONAL, Reply, encode, json_reply
from headway.http.who import Reader
from headway.ledger.revoke_certificate import Revoking, revoke
from headway.ledger.security import Origin
from headway.store import signing_keys
from headway.views.certificates import certificates_of, find_certificate

_PDF: Final = b"application/pdf"
_CREDENTIAL: Final = b"application/vc"
_UNKNOWN: Final = "there is no certificate of that id"


class CertificateRevoked(HeadwayError):
    """The certificate was revoked, and is not signed any more."""

    code = "certificate-revoked"


class CertificateShown(Struct):
    """A certificate, as anybody may know it; `url` is the page that shows whether it is real."""

    id: str
    learner_name: str | None
    course: str
    title: str
    run: int
    score_percent: float
    issued_at: str
    revoked_at: str | None
    revoked_reason: str | None
    url: str
    pdf_url: str
    credential_url: str


class CertificateList(Struct):
    """Certificates, the newest first."""

    items: list[CertificateShown]
    next_cursor: str | None


class Revocation(Struct):
    """Why a certificate is revoked: everybody can read it."""

    reason: str


@get("/certificates")
async def list_certificates(request: Asked, limit: Limit = LIMIT, cursor: Cursor = None) -> Reply:
    """The caller's own certificates, the newest first."""
    issuer = issuer_of(exchange_of(request))

    def look(connection: Connection, reader: Reader) -> bytes:
        found = [] if reader.learner_id is None else certificates_of(connection, reader.learner_id)
        page, behind = cut(found, lambda one: (-one.issued_at, one.id), tuple[int, str], limit, cursor)
        return encode(CertificateList([shown(one, issuer) for one in page], behind))

    return etags.tagged(request, await who.read_as_caller(request, look), PERSONAL)


@get("/certificates/{certificate:str}")
async def read_certificate(request: Asked, certificate: FromPath[str]) -> Reply:
    """A certificate by its id: whoever has the id may know whether it is real."""
    issuer = issuer_of(exchange_of(request))
    facts = await found(request, certificate)
    return etags.public(request, encode(shown(facts, issuer)), more=(FOR_ALL,))


@get("/certificates/{certificate:str}/pdf")
async def read_certificate_pdf(request: Asked, certificate: FromPath[str]) -> Reply:
    """A certificate as a page of A4 to print, with a QR code of where it is verified; a revoked one says so."""
    services = exchange_of(request).services
    issuer = issuer_of(exchange_of(request))
    facts = await found(request, certificate)
    fonts = services.settings.font_folder
    name = (b"content-disposition", b'inline; filename="certificate-%s.pdf"' % facts.id.encode("ascii"))
    follows_from = encode((facts, issuer, fonts, made_by()))
    make = partial(services.render, partial(certificate_pdf, facts, issuer, fonts))
    return await etags.made(request, follows_from, make, _PDF, (name,))


@get("/certificates/{certificate:str}/credential")
async def read_credential(request: Asked, certificate: FromPath[str]) -> Reply:
    """A certificate as an Open Badges 3.0 credential, signed: verifiable without this server. 410 once revoked."""
    exchange = exchange_of(request)
    issuer = signing_issuer(exchange)
    facts, row = await exchange.services.read(partial(_with_key, certificate=_checked(certificate)))
    if facts.revoked_at is not None:
        raise CertificateRevoked(f"the certificate was revoked on {format_time(facts.revoked_at)[:10]}")
    signer = await signer_of(exchange, row)
    signed = await exchange.services.render(partial(signed_credential, facts, issuer, signer))
    return etags.public(request, as_bytes(signed), _CREDENTIAL, (FOR_ALL,))


@get("/certificates/{certificate:str}/status")
async def read_certificate_status(request: Asked, certificate: FromPath[str]) -> Reply:
    """Whether a certificate was revoked, for verifiers of its credential: a signed Bitstring Status List."""
    exchange = exchange_of(request)
    issuer = signing_issuer(exchange)
    asked = _checked(certificate)
    facts, row = await exchange.services.read(partial(_with_key, certificate=asked))
    signer = await signer_of(exchange, row)
    signed = await exchange.services.render(partial(signed_status, facts, issuer, signer, asked=asked))
    return etags.public(request, as_bytes(signed), _CREDENTIAL, (FOR_ALL,))


@post("/certificates/{certificate:str}/revocation", status_code=200)
async def revoke_certificate(request: Asked, certificate: FromPath[str]) -> Reply:
    """Revoke a certificate of one's own course, for good; doing it again changes nothing."""
    exchange = exchange_of(request)
    services = exchange.services
    who.check_cookies(exchange)
    reader = await who.caller(request, scope="creator")
    if reader.row is None:
        raise Unauthorized("sign in as the course's creator to revoke its certificates")
    sent = await read_fields(request, Revocation)
    # Without the creator's network address: the learner, who is told of this, has nothing to do with it.
    origin = Origin(actor_id=reader.row["id"])
    asked = Revoking(_checked(certificate), sent.reason, partial(may_act_for, reader.row), origin)
    await services.run(partial(revoke, services.database, services.catalog, asked, now=who.now()))
    facts = await found(request, certificate)
    return json_reply(shown(facts, issuer_of(exchange)), 200, (PERSONAL,))


async def found(request: Asked, certificate: str) -> CertificateFacts:
    """The facts of a certificate; NotFound where there is none."""
    asked = _checked(certificate)
    return await exchange_of(request).services.read(partial(_facts, certificate=asked))


def _facts(connection: Connection, certificate: str) -> CertificateFacts:
    facts = find_certificate(connection, certificate)
    if facts is None:
        raise NotFound(_UNKNOWN)
    return facts


def _with_key(connection: Connection, certificate: str) -> tuple[CertificateFacts, RowMapping | None]:
    return _facts(connection, certificate), signing_keys.current(connection)


def _checked(certificate: str) -> str:
    # Upper case as well: people copy it from paper (RFC 9562, 4).
    wanted = certificate.lower()
    if not is_id(wanted):
        raise NotFound(_UNKNOWN)
    return wanted


def shown(facts: CertificateFacts, issuer: Issuer) -> CertificateShown:
    """A certificate as the contract has it."""
    address = issuer.api(facts.id)
    return CertificateShown(
        facts.id,
        facts.learner_name,
        facts.course_id,
        facts.course_title,
        facts.run,
        facts.score_percent,
        format_time(facts.issued_at),
        None if facts.revoked_at is None else format_time(facts.revoked_at),
        facts.revoked_reason,
        issuer.page(facts.id),
        f"{address}/pdf",
        f"{address}/credential",
    )


handlers: Final = [
    list_certificates,
    read_certificate,
    read_certificate_pdf,
    read_credential,
    read_certificate_status,
    revoke_certificate,
]
