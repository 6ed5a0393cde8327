"""What `doctor` finds in the archive: whether its files are there and whole."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from headway.cli.findings import Finding, State, judged
from headway.cli.screen import counted

if TYPE_CHECKING:
    from headway.store.database import Database


def of_archive(database: "Database") -> Iterator[Finding]:
    """A finding for each file that is missing or damaged, or one that all are whole; none if nothing was archived.

    Another one if something waits to be removed.
    """
    from headway.ledger.archive import check, is_settled, unreferred
    from headway.store.archive_files import ArchiveUnavailable

    try:
        checked = list(check(database))
    except ArchiveUnavailable as error:
        yield Finding("archive", State.WRONG, "not to be read", f"{error.detail[0].upper()}{error.detail[1:]}.")
        return
    for one in checked:
        if one.fault is not None:
            advice = "Put it back from a copy of the folder, or restore a backup: the ledger needs what it holds."
            yield Finding("archive", State.WRONG, f"{one.path} {one.fault}", advice)
    if checked and not any(one.fault for one in checked):
        events = sum(one.portion.entries for one in checked)
        yield Finding("archive", State.FINE, f"{counted(events, 'event')}, whole")
    if not is_settled(database) or unreferred(database):
        advice = (
            "Files hold what is gone, or are in no use: `headway archive --check` removes that, a server much of it."
        )
        yield judged("archive's rest", "waits to be removed", fine=False, advice=advice, otherwise=State.NOTE)
