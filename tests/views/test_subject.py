"""Who may read whose progress."""

import pytest

from headway.store.learners import change
from headway.views.subject import NOBODY_ASKING, Asking, Subject, UnknownLearner, another
from tests.domain.manifests import course
from tests.views.learning import NOW, Learning, enrolled, uid

ADMIN = Asking(uid("root"), frozenset({"admin"}))
CREATOR = Asking(uid("carol"), frozenset({"creator"}))


def may(learning: Learning, asking: Asking, reference: str, course_id: str | None = None) -> Subject | None:
    """Whom the one who asks comes to see; None where there is, so they are told, no such learner."""
    try:
        return learning.read(another, asking, reference, course_id)
    except UnknownLearner as error:
        refusal = error
    assert (refusal.detail, refusal.field, refusal.code) == ("there is no such learner", "learner", "not-found")
    return None


@pytest.fixture
def classroom(learning: Learning) -> Learning:
    """Carol's course, in which ada is enrolled, bob no longer, and dan never was; eve's course, with ada and dan."""
    for name in ("root", "carol", "eve"):
        learning.learner(name)
    learning.publish(course(), publisher=uid("carol"))
    learning.publish(course(id="java"), publisher=uid("eve"))
    learning.record(learning.learner("ada", zone="Asia/Tokyo"), enrolled(), enrolled("java"))
    learning.record(learning.learner("dan"), enrolled("java"))
    learning.record(learning.learner("bob"), enrolled(at="2026-03-01T00:00:00Z"), enrolled(kind="left"))
    return learning


def test_an_admin_reads_everyone_by_either_id(classroom: Learning) -> None:
    imported = classroom.learner("i", zone="Europe/London", kind="imported", external_id="oulad:11391")
    assert may(classroom, ADMIN, uid("ada")) == Subject(uid("ada"), "Asia/Tokyo")
    assert may(classroom, ADMIN, uid("ada").upper()) == Subject(uid("ada"), "Asia/Tokyo")
    assert may(classroom, ADMIN, "oulad:11391") == imported
    assert may(classroom, ADMIN, "oulad:11391", "python") == imported
    assert may(classroom, ADMIN, uid("dan"), "no-such-course") is not None


def test_who_is_not_there_is_unknown_even_to_an_admin(classroom: Learning) -> None:
    for reference in (uid("nobody"), "oulad:1", "", "oulad:11391\0", "\ud800", "x" * 256, "' OR 1=1 --", "ada"):
        assert may(classroom, ADMIN, reference) is None


def test_a_creator_reads_an_enrolled_learners_progress_in_an_own_course_alone(classroom: Learning) -> None:
    assert may(classroom, CREATOR, uid("ada"), "python") == Subject(uid("ada"), "Asia/Tokyo")
    assert may(classroom, CREATOR, uid("ada")) is None
    assert may(classroom, CREATOR, uid("ada"), "java") is None
    assert may(classroom, CREATOR, uid("bob"), "python") is None
    assert may(classroom, CREATOR, uid("dan"), "python") is None


def test_who_is_no_creator_any_more_reads_nobody(classroom: Learning) -> None:
    assert may(classroom, CREATOR._replace(roles=frozenset()), uid("ada"), "python") is None


def test_others_read_themselves_alone(classroom: Learning) -> None:
    dan = Asking(uid("dan"), frozenset())
    assert may(classroom, dan, uid("dan")) == Subject(uid("dan"), "UTC")
    assert may(classroom, dan, uid("ada"), "python") is None
    assert may(classroom, NOBODY_ASKING, uid("ada"), "python") is None


def test_a_course_without_a_creator_is_nobodys_own(learning: Learning) -> None:
    learning.publish(course())
    learning.record(learning.learner("ada"), enrolled())
    assert may(learning, NOBODY_ASKING, uid("ada"), "python") is None
    assert may(learning, Asking(None, frozenset({"creator"})), uid("ada"), "python") is None


def test_who_was_erased_is_not_there(classroom: Learning) -> None:
    with classroom.database.transaction() as connection:
        change(connection, uid("ada"), {"erased_at": NOW})
    assert may(classroom, ADMIN, uid("ada")) is None


def test_a_guest_that_was_moved_leads_to_its_account(classroom: Learning) -> None:
    with classroom.database.transaction() as connection:
        change(connection, uid("ada"), {"merged_into": uid("dan"), "merged_at": NOW, "merged_after": 0})
    found = may(classroom, ADMIN, uid("ada"))
    assert found is not None
    assert found.learner_id == uid("dan")
    assert may(classroom, Asking(uid("dan"), frozenset()), uid("ada")) == found
    assert may(classroom, Asking(uid("ada"), frozenset()), uid("ada")) is None
