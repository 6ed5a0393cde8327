"""Examples of what is signed for the certificate in `examples.py`; a test signs it."""

from typing import Any, Final

_ADDRESS: Final = "https://learn.example.org/api/v1/certificates/7c1f4a3e-9b0d-4c55-8a1e-2d6f0c9b3e71"
_ISSUER: Final[dict[str, Any]] = {
    "id": "https://learn.example.org/issuer",
    "type": ["Profile"],
    "name": "Learn",
    "url": "https://learn.example.org",
}
CREDENTIAL: Final[dict[str, Any]] = {
    "@context": ["https://www.w3.org/ns/credentials/v2", "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"],
    "id": f"{_ADDRESS}/credential",
    "type": ["VerifiableCredential", "OpenBadgeCredential"],
    "issuer": _ISSUER,
    "validFrom": "2026-03-01T09:30:00Z",
    "name": "Python basics",
    "credentialSubject": {
        "id": "urn:uuid:7c1f4a3e-9b0d-4c55-8a1e-2d6f0c9b3e71",
        "type": ["AchievementSubject"],
        "identifier": [{"type": "IdentityObject", "hashed": False, "identityHash": "Ada", "identityType": "name"}],
        "achievement": {
            "id": "https://learn.example.org/api/v1/courses/python-basics",
            "type": ["Achievement"],
            "achievementType": "Course",
            "name": "Python basics",
            "description": "The course Python basics, completed.",
            "criteria": {"narrative": "All modules of the course were completed."},
            "resultDescription": [
                {
                    "id": "https://learn.example.org/api/v1/courses/python-basics#score",
                    "type": ["ResultDescription"],
                    "name": "Score",
                    "resultType": "Percent",
                    "valueMin": "0",
                    "valueMax": "100",
                }
            ],
        },
        "result": [
            {
                "type": ["Result"],
                "resultDescription": "https://learn.example.org/api/v1/courses/python-basics#score",
                "value": "87.5",
            }
        ],
    },
    "credentialStatus": {
        "id": f"{_ADDRESS}/status#0",
        "type": "BitstringStatusListEntry",
        "statusPurpose": "revocation",
        "statusListIndex": "0",
        "statusListCredential": f"{_ADDRESS}/status",
    },
    "proof": {
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-rdfc-2022",
        "created": "2026-03-01T09:30:00Z",
        "verificationMethod": "https://learn.example.org/issuer#z6Mkon3Necd6NkkyfoGoHxid2znGc59LU3K7mubaRcFbLfLX",
        "proofPurpose": "assertionMethod",
        "proofValue": "zJzdgEG1u7mSKJwWonA7LoE1CxohwNsWn3ar4qpArpUuLvHQtQ4Xg1kTVAp2KTH7qZc9BWDm31tvZhQhgsDTsZ3c",
    },
}
STATUS: Final[dict[str, Any]] = {
    "@context": ["https://www.w3.org/ns/credentials/v2"],
    "id": f"{_ADDRESS}/status",
    "type": ["VerifiableCredential", "BitstringStatusListCredential"],
    "issuer": "https://learn.example.org/issuer",
    "validFrom": "2026-03-01T09:30:00Z",
    "credentialSubject": {
        "id": f"{_ADDRESS}/status#list",
        "type": "BitstringStatusList",
        "statusPurpose": "revocation",
        "encodedList": "uH4sIAAAAAAACA-3BMQEAAADCoPVPbQwfoAAAAAAAAAAAAAAAAAAAAIC3AYbSVKsAQAAA",
    },
    "proof": {
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-rdfc-2022",
        "created": "2026-03-01T09:30:00Z",
        "verificationMethod": "https://learn.example.org/issuer#z6Mkon3Necd6NkkyfoGoHxid2znGc59LU3K7mubaRcFbLfLX",
        "proofPurpose": "assertionMethod",
        "proofValue": "z3UEzYC99vzHcY6RcU17QMUjSNV7FHFd3StPxVpxPWKbFAcWqHb7XfYVVaHHJG1tHL2bzjHF2716cdHL64btyNxf8",
    },
}
