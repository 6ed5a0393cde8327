"""The operations of certificates."""

from collections.abc import Mapping
from typing import Final

from headway.http import certificates, examples, examples_of_credentials
from headway.http.contract.operation import Operation

_TAG: Final = "Certificates"
_SIGNED: Final = {"application/vc": {"type": "object"}}

OPERATIONS: Final[Mapping[str, Operation]] = {
    "list_certificates": Operation(
        tag=_TAG,
        gives={200: certificates.CertificateList},
        has_etag=True,
        given={"items": [examples.CERTIFICATE], "next_cursor": None},
    ),
    "read_certificate": Operation(
        tag=_TAG,
        callers="public",
        gives={200: certificates.CertificateShown},
        has_etag=True,
        given=examples.CERTIFICATE,
    ),
    "read_certificate_pdf": Operation(
        tag=_TAG,
        callers="public",
        gives={200: None},
        media={"application/pdf": {"type": "string", "format": "binary"}},
        has_etag=True,
    ),
    "read_credential": Operation(
        tag=_TAG,
        callers="public",
        gives={200: None},
        media=_SIGNED,
        has_etag=True,
        refuses=(410,),
        given=examples_of_credentials.CREDENTIAL,
    ),
    "read_certificate_status": Operation(
        tag=_TAG,
        callers="public",
        gives={200: None},
        media=_SIGNED,
        has_etag=True,
        given=examples_of_credentials.STATUS,
    ),
    "revoke_certificate": Operation(
        tag=_TAG,
        callers="creator",
        takes=certificates.Revocation,
        gives={200: certificates.CertificateShown},
        sent={"reason": "The final assessment was somebody else's."},
        given=examples.CERTIFICATE
        | {
            "revoked_at": "2026-03-09T12:00:00.000000Z",
            "revoked_reason": "The final assessment was somebody else's.",
        },
    ),
}
