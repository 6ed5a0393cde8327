"""What each operation takes, gives and refuses: the part of the contract that the handlers' signatures do not say."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from headway.http import (
    achievements,
    admin_achievements,
    auth,
    certificates,
    course_shapes,
    device,
    erasing,
    events,
    examples,
    grading_shapes,
    health,
    merging,
    oidc,
    own_password,
    pauses,
    progress,
    sent_shapes,
    sessions,
    signing_in,
    steps,
    tokens_of_own,
)
from headway.views import course_progress, history, overview, skills, statistics, streak

# anyone: nobody, guests and accounts alike; learner: guests and accounts; public: who asks is not looked at.
Callers: TypeAlias = Literal["public", "anyone", "learner", "account", "creator", "admin"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation: its replies by status, and the refusals that do not follow from the rest.

    These follow: of a write 401, 403 and 503, of a body 400, 413, 415 and 422, of a name in the path 404.
    """

    tag: str
    gives: Mapping[int, Any]
    callers: Callers = "anyone"
    takes: Any = None
    may_be_empty: bool = False
    takes_form: bool = False
    refuses: tuple[int, ...] = ()
    has_etag: bool = False
    sent: Any = None
    given: Any = None
    method: str | None = None
    # What 200 is where it is no JSON of a shape: the schema by the media type.
    media: Mapping[str, Mapping[str, Any]] | None = None


_RECORDING, _READING, _IDENTITY, _COURSES, _HEALTH = "Recording", "Progress", "Identity", "Courses", "Health"
_CERTIFICATES, _TEACHING, _ADMIN = "Certificates", "Teaching", "Administration"
_DRAWING: Final = {"image/svg+xml": {"type": "string"}}
_SIGNED: Final = {"application/vc": {"type": "object"}}

OPERATIONS: Final[Mapping[str, Operation]] = {
    "record_events": Operation(
        tag=_RECORDING,
        method="POST",
        takes=sent_shapes.EventsSent,
        gives={200: events.EventsRecorded},
        refuses=(429,),
        sent=examples.EVENTS_SENT,
        given=examples.EVENTS_RECORDED,
    ),
    "complete_step": Operation(
        tag=_RECORDING,
        takes=sent_shapes.CompletionSent,
        may_be_empty=True,
        gives={200: steps.StepRecorded},
        refuses=(409, 423, 429),
        sent=examples.COMPLETION_SENT,
        given=examples.STEP_RECORDED,
    ),
    "attempt_step": Operation(
        tag=_RECORDING,
        takes=sent_shapes.AttemptSent,
        gives={200: steps.AttemptRecorded},
        refuses=(409, 423, 429),
        sent=examples.ATTEMPT_SENT,
        given=examples.ATTEMPT_RECORDED,
    ),
    "read_progress": Operation(tag=_READING, gives={200: overview.Overview}, has_etag=True, refuses=(404,)),
    "read_course_progress": Operation(tag=_READING, gives={200: course_progress.CourseProgress}, has_etag=True),
    "list_runs": Operation(tag=_READING, gives={200: progress.RunList}, has_etag=True),
    "read_module_progress": Operation(tag=_READING, gives={200: course_progress.ModuleProgress}, has_etag=True),
    "read_streak_progress": Operation(tag=_READING, gives={200: streak.StreakProgress}, has_etag=True, refuses=(404,)),
    "read_history_progress": Operation(tag=_READING, gives={200: history.History}, has_etag=True, refuses=(404,)),
    "read_statistics_progress": Operation(
        tag=_READING, gives={200: statistics.Statistics}, has_etag=True, refuses=(404,)
    ),
    "list_practice_sessions": Operation(tag=_READING, gives={200: progress.SessionList}, has_etag=True, refuses=(404,)),
    "read_skill_levels": Operation(tag=_READING, gives={200: skills.SkillLevels}, has_etag=True, refuses=(404,)),
    "read_own_events": Operation(tag=_READING, gives={200: progress.EventList}, has_etag=True, refuses=(404,)),
    "list_achievements": Operation(
        tag=_READING,
        gives={200: achievements.AchievementList},
        has_etag=True,
        refuses=(404,),
        given={"items": [examples.ACHIEVEMENT], "hidden": 3, "next_cursor": None},
    ),
    "list_badges": Operation(
        tag=_READING,
        gives={200: achievements.Badges},
        has_etag=True,
        refuses=(404,),
        given={"earned": [examples.BADGE], "available": []},
    ),
    "read_badge_drawing": Operation(tag=_READING, callers="public", gives={200: None}, media=_DRAWING, has_etag=True),
    "pause_streak": Operation(
        tag=_READING,
        callers="learner",
        takes=pauses.PauseAsked,
        gives={200: streak.PauseShown, 201: streak.PauseShown},
        refuses=(409,),
        sent=examples.PAUSE_SENT,
        given=examples.PAUSE,
    ),
    "resume_streak": Operation(tag=_READING, callers="learner", gives={204: None}),
    "register": Operation(
        tag=_IDENTITY,
        takes=auth.Registration,
        gives={201: signing_in.SignedIn},
        refuses=(409, 429),
        sent=examples.REGISTRATION,
        given={
            "learner": examples.LEARNER,
            "merged": {"steps": 3, "events": 9, "certificates": 0},
            "merge_failed": False,
        },
    ),
    "login": Operation(
        tag=_IDENTITY,
        takes=auth.SignIn,
        gives={200: signing_in.SignedIn},
        refuses=(429,),
        sent=examples.SIGN_IN,
        given={"learner": examples.LEARNER, "merged": None, "merge_failed": False},
    ),
    "logout": Operation(tag=_IDENTITY, gives={204: None}),
    "change_password": Operation(
        tag=_IDENTITY,
        callers="account",
        takes=own_password.PasswordChange,
        gives={204: None},
        refuses=(429,),
        sent={"current_password": "correct horse battery", "new_password": "a staple that is right"},
    ),
    "ask_password_reset": Operation(
        tag=_IDENTITY,
        takes=own_password.ResetAsked,
        gives={202: own_password.ResetNoted},
        refuses=(429,),
        sent={"email": "ada@example.org"},
        given={"detail": "where the address belongs to an account, a mail is on its way to it"},
    ),
    "confirm_password_reset": Operation(
        tag=_IDENTITY,
        takes=own_password.ResetConfirmed,
        gives={200: signing_in.SignedIn},
        sent={"token": "Zk3Fh0lZpV3cQm1n8WZc4AZk3Fh0lZpV3cQm1n8WZc4", "password": "a staple that is right"},
        given={"learner": examples.LEARNER, "merged": None, "merge_failed": False},
    ),
    "list_sessions": Operation(
        tag=_IDENTITY,
        callers="account",
        gives={200: sessions.SessionList},
        refuses=(403,),
        given={"items": [examples.SESSION], "next_cursor": None},
    ),
    "revoke_session": Operation(tag=_IDENTITY, callers="account", gives={204: None}),
    "list_security_events": Operation(
        tag=_IDENTITY,
        callers="account",
        gives={200: sessions.SecurityEventList},
        refuses=(403,),
        given={"items": [examples.SECURITY_EVENT], "next_cursor": None},
    ),
    "read_me": Operation(tag=_IDENTITY, gives={200: auth.Me}, given={"kind": "account", "learner": examples.LEARNER}),
    "change_me": Operation(
        tag=_IDENTITY,
        callers="learner",
        takes=auth.Profile,
        gives={200: auth.Me},
        sent={"display_name": "Ada", "time_zone": "Europe/London"},
        given={"kind": "account", "learner": examples.LEARNER},
    ),
    "erase_me": Operation(
        tag=_IDENTITY,
        callers="learner",
        takes=erasing.ErasureAsked,
        may_be_empty=True,
        gives={204: None},
        refuses=(429,),
        sent={"password": "correct horse battery"},
    ),
    "make_guest": Operation(
        tag=_IDENTITY,
        gives={201: auth.GuestMade},
        refuses=(429,),
        given={"learner": examples.GUEST, "token": "Zk3Fh0lZpV3cQm1n8WZc4A"},
    ),
    "merge_guest": Operation(
        tag=_IDENTITY,
        callers="account",
        takes=merging.GuestSent,
        gives={200: merging.GuestMoved},
        refuses=(429,),
        sent={"guest_token": "Zk3Fh0lZpV3cQm1n8WZc4A"},
        given={"merged": {"steps": 3, "events": 9, "certificates": 0}},
    ),
    "list_tokens": Operation(
        tag=_IDENTITY,
        callers="account",
        gives={200: tokens_of_own.TokenList},
        refuses=(403,),
        given={"items": [examples.TOKEN], "next_cursor": None},
    ),
    "make_token": Operation(
        tag=_IDENTITY,
        callers="account",
        takes=tokens_of_own.TokenAsked,
        gives={201: tokens_of_own.TokenMade},
        refuses=(409,),
        sent=examples.TOKEN_ASKED,
        given=examples.TOKEN_MADE,
    ),
    "revoke_token": Operation(tag=_IDENTITY, callers="account", gives={204: None}),
    "ask_for_device": Operation(
        tag=_IDENTITY,
        takes=device.DeviceAsked,
        takes_form=True,
        gives={200: device.DeviceWaits},
        refuses=(429,),
        sent=examples.DEVICE_ASKED,
        given=examples.DEVICE_WAITS,
    ),
    "fetch_device_token": Operation(
        tag=_IDENTITY,
        takes=device.DeviceAsksAgain,
        takes_form=True,
        gives={200: device.DeviceToken},
        sent=examples.DEVICE_ASKS_AGAIN,
        given=examples.DEVICE_TOKEN,
    ),
    "approve_device": Operation(
        tag=_IDENTITY,
        callers="account",
        takes=device.DeviceDecision,
        takes_form=True,
        gives={200: device.DeviceDecided},
        refuses=(404, 409, 429),
        sent={"user_code": "WDJB-MJHT", "approve": True},
        given={"client": "headway 1.0", "scopes": ["read", "write"], "approved": True},
    ),
    "list_providers": Operation(
        tag=_IDENTITY, callers="public", gives={200: oidc.ProviderList}, given=examples.PROVIDERS
    ),
    "begin_sign_in": Operation(tag=_IDENTITY, callers="public", gives={200: None, 303: None}),
    "finish_sign_in": Operation(tag=_IDENTITY, callers="public", gives={303: None}, refuses=(409, 429)),
    "list_courses": Operation(tag=_COURSES, callers="public", gives={200: course_shapes.CoursePage}, has_etag=True),
    "read_course": Operation(tag=_COURSES, callers="public", gives={200: course_shapes.Outline}, has_etag=True),
    "publish_course": Operation(
        tag=_COURSES,
        callers="creator",
        takes=course_shapes.Manifest,
        gives={200: course_shapes.CoursePublished, 201: course_shapes.CoursePublished},
        sent=examples.MANIFEST,
        given=examples.PUBLISHED,
    ),
    "enroll": Operation(
        tag=_COURSES,
        callers="account",
        gives={200: course_shapes.Enrollment, 201: course_shapes.Enrollment},
        given={"course": "python-basics", "enrolled": True},
    ),
    "leave": Operation(tag=_COURSES, callers="account", gives={204: None}),
    "start_run": Operation(
        tag=_COURSES,
        callers="learner",
        takes=course_shapes.RunAsked,
        may_be_empty=True,
        gives={200: course_shapes.RunBegun, 201: course_shapes.RunBegun},
        refuses=(409,),
        sent={"id": "0d0b9b56-6f0e-4f5f-9c7c-0d1a3c5e7b42"},
        given={"course": "python-basics", "run": 2, "started_at": "2026-03-09T12:00:00.000000Z"},
    ),
    "list_certificates": Operation(
        tag=_CERTIFICATES,
        gives={200: certificates.CertificateList},
        has_etag=True,
        given={"items": [examples.CERTIFICATE], "next_cursor": None},
    ),
    "read_certificate": Operation(
        tag=_CERTIFICATES,
        callers="public",
        gives={200: certificates.CertificateShown},
        has_etag=True,
        given=examples.CERTIFICATE,
    ),
    "read_certificate_pdf": Operation(
        tag=_CERTIFICATES,
        callers="public",
        gives={200: None},
        media={"application/pdf": {"type": "string", "format": "binary"}},
        has_etag=True,
    ),
    "read_credential": Operation(
        tag=_CERTIFICATES, callers="public", gives={200: None}, media=_SIGNED, has_etag=True, refuses=(410,)
    ),
    "read_certificate_status": Operation(
        tag=_CERTIFICATES, callers="public", gives={200: None}, media=_SIGNED, has_etag=True
    ),
    "revoke_certificate": Operation(
        tag=_CERTIFICATES,
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
    "list_submissions": Operation(
        tag=_TEACHING,
        callers="creator",
        gives={200: grading_shapes.SubmissionList},
        has_etag=True,
        given=examples.SUBMISSIONS,
    ),
    "grade_attempt": Operation(
        tag=_TEACHING,
        callers="creator",
        takes=grading_shapes.GradeSent,
        gives={200: grading_shapes.GradeTold},
        refuses=(409,),
        sent=examples.GRADE_SENT,
        given=examples.GRADE_TOLD,
    ),
    "regrade_step": Operation(
        tag=_TEACHING,
        callers="creator",
        takes=grading_shapes.RegradeSent,
        gives={200: grading_shapes.RegradeTold},
        refuses=(409,),
        sent=examples.REGRADE_SENT,
        given=examples.REGRADE_TOLD,
    ),
    "list_definitions": Operation(
        tag=_ADMIN,
        callers="admin",
        gives={200: admin_achievements.DefinitionList},
        refuses=(403,),
        given={"items": [examples.DEFINITION], "given": True, "next_cursor": None},
    ),
    "define_achievement": Operation(
        tag=_ADMIN,
        callers="admin",
        takes=admin_achievements.DefinitionSent,
        gives={200: admin_achievements.DefinitionShown, 201: admin_achievements.DefinitionShown},
        sent=examples.DEFINITION_SENT,
        given=examples.DEFINITION,
    ),
    "retire_achievement": Operation(tag=_ADMIN, callers="admin", gives={204: None}),
    "backfill_achievements": Operation(
        tag=_ADMIN,
        callers="admin",
        gives={200: admin_achievements.BackfillTold},
        given=examples.BACKFILL,
    ),
    "live": Operation(tag=_HEALTH, callers="public", gives={200: health.Live}),
    "ready": Operation(tag=_HEALTH, callers="public", gives={200: health.Ready, 503: health.Ready}),
}
