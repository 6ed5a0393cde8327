"""What audit finds."""

from typing import NamedTuple


class Fault(NamedTuple):
    """A stored value that is not what follows from the ledger; `true` is what does, or says that nothing can."""

    table: str
    learner: str
    key: str
    column: str
    stored: object
    true: object
