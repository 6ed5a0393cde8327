"""Certificates as anybody reads them, and their revocation: an entry that audit, rebuild and moves know."""

import threading
from typing import Any
from uuid import uuid4

import pytest

from headway.certificates.facts import CertificateFacts
from headway.domain.errors import Invalid
from headway.ledger import rebuild
from headway.ledger.erase import erase
from headway.ledger.revoke_certificate import REASON_MAX, Revoking, UnknownCertificate, revoke
from headway.ledger.security import Origin
from headway.views.certificates import certificates_of, find_certificate
from tests.domain.manifests import course
from tests.ledger.gates import BASICS, END, GATES, LOOPS, certificates, through
from tests.ledger.guests import guest_in, move
from tests.ledger.world import HOUR, NOON, World

LATER = NOON + 9 * HOUR
ALL = ("basics", "loops", "end")
REASON = "The exam was somebody else's."


def certified(world: World, start: int = 0, **columns: Any) -> tuple[str, str]:
    """A learner who completed the course with gates, and the certificate of it."""
    learner_id = world.learner(**{"display_name": "Ada", **columns})
    world.send(learner_id, *through(*ALL, start=start))
    (row,) = certificates(world, learner_id)
    return learner_id, row["id"]


def found(world: World, certificate_id: str) -> CertificateFacts | None:
    with world.database.read() as connection:
        return find_certificate(connection, certificate_id)


def revoked(
    world: World, certificate_id: str, reason: str = REASON, *, may: bool = True, by: str | None = None, at: int = LATER
) -> bool:
    asked = Revoking(certificate_id, reason, lambda _: may, Origin(actor_id=by))
    return revoke(world.database, world.catalog, asked, now=at)


@pytest.fixture
def gates(world: World) -> World:
    world.publish(GATES)
    return world


def test_whoever_has_the_id_reads_the_facts(gates: World) -> None:
    learner_id, certificate_id = certified(gates)
    facts = found(gates, certificate_id)
    row = certificates(gates, learner_id)[0]
    assert facts == (certificate_id, "Ada", "gates", "Gates", 1, row["score"], row["issued_at"], None, None)
    assert found(gates, str(uuid4())) is None


def test_the_title_is_that_of_the_version_that_was_completed(gates: World) -> None:
    _, certificate_id = certified(gates)
    gates.publish({**GATES, "title": "Gates, second edition"})
    facts = found(gates, certificate_id)
    assert facts is not None
    assert facts.course_title == "Gates"


def test_a_learner_has_a_certificate_for_each_run_and_the_newest_is_first(gates: World) -> None:
    gates.publish(course(BASICS, LOOPS, END, id="other", title="Other", certificate=True))
    learner_id, first = certified(gates)
    gates.send(learner_id, *through(*ALL, start=50, course="other"), at=LATER)
    with gates.database.read() as connection:
        listed = certificates_of(connection, learner_id)
    assert {one.course_id for one in listed} == {"gates", "other"}
    assert [one.issued_at for one in listed] == sorted((one.issued_at for one in listed), reverse=True)
    assert first in {one.id for one in listed}


def test_a_revocation_is_told_with_its_reason_and_the_first_one_stays(gates: World) -> None:
    learner_id, certificate_id = certified(gates)
    entries = len(gates.entries(learner_id))
    assert revoked(gates, certificate_id, f"  {REASON} ")
    assert not revoked(gates, certificate_id, "again", at=LATER + HOUR)
    facts = found(gates, certificate_id)
    assert facts is not None
    assert (facts.revoked_at, facts.revoked_reason) == (LATER, REASON)
    assert len(gates.entries(learner_id)) == entries + 1
    gates.assert_clean()


def test_rebuild_gives_it_again(gates: World) -> None:
    learner_id, certificate_id = certified(gates)
    revoked(gates, certificate_id)
    before, facts = gates.figures(learner_id), found(gates, certificate_id)
    gates.run("UPDATE certificate SET revoked_at = NULL, revoked_reason = 'none', score = 1")
    rebuild.rebuild(gates.database, gates.catalog)
    assert gates.figures(learner_id) == before
    assert found(gates, certificate_id) == facts
    gates.assert_clean()


def test_it_is_noted_who_did_it_and_the_learner_is_told_nothing_of_where_from(gates: World) -> None:
    learner_id, certificate_id = certified(gates)
    creator = gates.learner()
    revoked(gates, certificate_id, by=creator)
    (event,) = gates.rows_of("security_event")
    assert (event["kind"], event["learner_id"], event["actor_id"]) == ("certificate-revoked", learner_id, creator)
    assert (event["address"], event["detail"]) == (None, certificate_id)


def test_who_may_not_revoke_it_is_told_what_is_told_of_one_that_is_not_there(gates: World) -> None:
    learner_id, certificate_id = certified(gates)
    told = []
    for asked, may in ((certificate_id, False), (str(uuid4()), True)):
        with pytest.raises(UnknownCertificate) as refusal:
            revoked(gates, asked, may=may)
        told.append(refusal.value.detail)
    assert told[0] == told[1]
    assert certificates(gates, learner_id)[0]["revoked_at"] is None


@pytest.mark.parametrize("reason", ["", "   ", "x" * (REASON_MAX + 1), "a\nb", "a\x00b", "\u202e"])
def test_a_reason_that_says_nothing_or_too_much_is_refused(sqlite_world: World, reason: str) -> None:
    sqlite_world.publish(GATES)
    learner_id, certificate_id = certified(sqlite_world)
    with pytest.raises(Invalid) as refusal:
        revoked(sqlite_world, certificate_id, reason)
    assert refusal.value.field == "reason"
    assert certificates(sqlite_world, learner_id)[0]["revoked_at"] is None


def test_two_who_revoke_it_at_once_make_one_entry(gates: World) -> None:
    learner_id, certificate_id = certified(gates)
    entries = len(gates.entries(learner_id))
    together, told = threading.Barrier(4), []

    def act() -> None:
        together.wait()
        told.append(revoked(gates, certificate_id))

    threads = [threading.Thread(target=act) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(told) == [False, False, False, True]
    assert len(gates.entries(learner_id)) == entries + 1
    gates.assert_clean()


def both_certified(world: World) -> tuple[str, str, str]:
    """An account with a certificate, into which a guest is moved who had an earlier one of the same run."""
    guest = guest_in(world)
    # Earlier by the server's clock, which dates certificates.
    world.send(guest.id, *through(*ALL, start=100), at=NOON)
    account, later = certified(world)
    earlier = certificates(world, guest.id)[0]["id"]
    move(world, account, guest)
    return account, earlier, later


def test_after_a_move_both_ids_lead_to_the_earlier_certificate(gates: World) -> None:
    account, earlier, later = both_certified(gates)
    assert found(gates, earlier) == found(gates, later)
    with gates.database.read() as connection:
        (listed,) = certificates_of(connection, account)
    assert listed == found(gates, earlier)
    assert listed.id == earlier


@pytest.mark.parametrize("which", [0, 1])
def test_after_a_move_revoking_either_revokes_both(gates: World, which: int) -> None:
    _, earlier, later = both_certified(gates)
    assert revoked(gates, (earlier, later)[which])
    assert not revoked(gates, (earlier, later)[1 - which])
    for one in (earlier, later):
        facts = found(gates, one)
        assert facts is not None
        assert facts.revoked_reason == REASON
    gates.assert_clean()


def test_a_guests_revoked_certificate_stays_so_in_the_account(gates: World) -> None:
    guest = guest_in(gates, *through(*ALL))
    certificate_id = certificates(gates, guest.id)[0]["id"]
    revoked(gates, certificate_id)
    account = gates.learner()
    move(gates, account, guest, now=LATER + HOUR)
    facts = found(gates, certificate_id)
    assert facts is not None
    assert facts.revoked_reason == REASON
    gates.assert_clean()


def test_of_whoever_is_erased_no_certificate_is_found(gates: World) -> None:
    learner_id, certificate_id = certified(gates)
    revoked(gates, certificate_id)
    erase(gates.database, gates.catalog, learner_id, now=LATER + HOUR)
    assert found(gates, certificate_id) is None
    with pytest.raises(UnknownCertificate):
        revoked(gates, certificate_id)
    gates.assert_clean()
