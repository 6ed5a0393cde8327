"""Check what learners' rows say of moves. They are facts: nothing else tells what would be right instead."""

from collections.abc import Iterator

from headway.ledger.faults import Fault
from headway.store.identities import MoveState


def faults_of(place: MoveState) -> Iterator[Fault]:
    """Yield the faults of a learner's row that says anything of a move."""
    if place.merged_into is None:
        yield _fault(place, "merged_into", None, "an account: there is a move's time or number")
        return
    if place.kind not in ("guest", "imported"):
        yield _fault(place, "kind", place.kind, "guest or imported: no account is moved")
    if place.account_kind != "account" or place.account_merged_into is not None:
        yield _fault(place, "merged_into", place.merged_into, "an account that was not moved itself")
    if place.merged_at is None:
        yield _fault(place, "merged_at", None, "the time of the move")
    if place.merged_after is None or not 0 <= place.merged_after <= (place.account_head or 0):
        head = f"0 to {place.account_head}: an entry of the account's ledger"
        yield _fault(place, "merged_after", place.merged_after, head)
    if place.sessions:
        yield Fault("session", place.id, "*", "learner_id", "a session", "none: this guest was moved")


def _fault(place: MoveState, column: str, stored: object, true: str) -> Fault:
    return Fault("learner", place.id, "*", column, stored, true)
