"""The operations of notifications, and their examples."""

from collections.abc import Mapping
from typing import Any, Final

from headway.http import notifications, preferences, stream
from headway.http.contract.operation import Operation

_TAG: Final = "Notifications"
_EVENTS: Final = {stream.MEDIA_TYPE: {"type": "string"}}
_ID: Final = "8d5e2b1c-7a3f-5c44-9f0e-1b2a3c4d5e6f"
_NOTIFICATION: Final[dict[str, Any]] = {
    "id": _ID,
    "type": "module_completed",
    "at": "2026-03-01T09:30:00.000000Z",
    "read_at": None,
    "title": "Loops",
    "change": {
        "type": "module_completed",
        "course": "python-basics",
        "module": "loops",
        "score_percent": 92.5,
        "completed_at": "2026-03-01T09:30:00.000000Z",
    },
}

_PREFERENCES: Final[dict[str, Any]] = {
    "kinds": [
        {"kind": "streak", "types": ["streak_at_risk"], "in_app": True, "stream": True, "email": True},
        {
            "kind": "achievements",
            "types": ["achievement_unlocked", "level_changed", "streak_milestone"],
            "in_app": True,
            "stream": False,
            "email": None,
        },
    ],
    "email_address": "ada@example.org",
    "email_confirmed": True,
    "no_email": None,
    "confirmation": None,
}

OPERATIONS: Final[Mapping[str, Operation]] = {
    "list_notifications": Operation(
        tag=_TAG,
        gives={200: notifications.NotificationList},
        has_etag=True,
        given={"items": [_NOTIFICATION], "unread": 1, "next_cursor": None},
    ),
    "read_preferences": Operation(
        tag=_TAG, gives={200: preferences.NotificationPreferences}, has_etag=True, given=_PREFERENCES
    ),
    "choose_preferences": Operation(
        tag=_TAG,
        callers="learner",
        takes=preferences.PreferencesAsked,
        gives={200: preferences.NotificationPreferences},
        sent={"achievements": {"stream": False}},
        given=_PREFERENCES,
    ),
    "stream": Operation(tag=_TAG, callers="learner", gives={200: None}, media=_EVENTS, refuses=(503,)),
    "read_notification": Operation(tag=_TAG, callers="learner", gives={204: None}),
    "read_notifications": Operation(
        tag=_TAG,
        callers="learner",
        takes=notifications.ReadUpTo,
        may_be_empty=True,
        gives={200: notifications.NotificationsRead},
        refuses=(404,),
        sent={"up_to": _ID},
        given={"unread": 0},
    ),
}
