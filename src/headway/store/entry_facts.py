"""The facts of an entry as files hold them: those of the archive, and exports that are taken in again."""

from msgspec import Raw, Struct


class EntryFacts(Struct):
    """What was sent and what the server knew then, under the names that exports have; times in microseconds."""

    ledger: str
    seq: int
    id: str
    sent: Raw
    received_at_us: int
    clock_skew_us: int
    time_zone: str
    source: str
    version: int
    streak_rules: str | None
