"""The operations of webhooks, and their examples."""

from collections.abc import Mapping
from typing import Any, Final

from headway.http import webhooks
from headway.http.contract.operation import Operation

_TAG: Final = "Webhooks"
_AT: Final = "2026-03-01T09:30:00.000000Z"
_ASKED: Final[dict[str, Any]] = {
    "url": "https://hooks.example.org/headway",
    "course": "python-basics",
    "types": ["course_completed", "module_completed"],
}
_WEBHOOK: Final[dict[str, Any]] = {
    "id": "6b0e1f3a-2c4d-4e5f-8a9b-0c1d2e3f4a5b",
    **_ASKED,
    "created_at": _AT,
    "failing_since": None,
    "disabled_at": None,
    "disabled_why": None,
}
_DELIVERY: Final[dict[str, Any]] = {
    "id": "0d9c8b7a-6f5e-4d3c-9b2a-1f0e9d8c7b6a",
    "message_id": "msg_8d5e2b1c7a3f5c449f0e1b2a3c4d5e6f",
    "type": "module_completed",
    "learner": "5b0c9a0e-8f43-4f0e-9b1c-6a6f1f6b2d10",
    "at": _AT,
    "took_ms": 84,
    "attempt": 1,
    "status": 204,
    "error": None,
}

OPERATIONS: Final[Mapping[str, Operation]] = {
    "list_webhooks": Operation(
        tag=_TAG,
        callers="creator",
        gives={200: webhooks.WebhookList},
        refuses=(401, 403),
        given={"items": [_WEBHOOK], "next_cursor": None},
    ),
    "make_webhook": Operation(
        tag=_TAG,
        callers="creator",
        takes=webhooks.WebhookAsked,
        gives={201: webhooks.WebhookMade},
        refuses=(404, 409),
        sent=_ASKED,
        given=_WEBHOOK | {"secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="},
    ),
    "remove_webhook": Operation(tag=_TAG, callers="creator", gives={204: None}),
    "resume_webhook": Operation(tag=_TAG, callers="creator", gives={204: None}),
    "list_deliveries": Operation(
        tag=_TAG,
        callers="creator",
        gives={200: webhooks.DeliveryList},
        refuses=(401, 403),
        given={"items": [_DELIVERY], "next_cursor": None},
    ),
    "redeliver": Operation(
        tag=_TAG,
        callers="creator",
        gives={202: webhooks.Redelivered},
        refuses=(409,),
        given={"message_id": "msg_8d5e2b1c7a3f5c449f0e1b2a3c4d5e6f"},
    ),
}
