"""Reading ahead: in the same order, and closed by the thread that opened."""

from collections.abc import Generator
from contextlib import closing
from threading import get_ident

from headway.ledger.ahead import ahead


def test_what_is_left_in_the_middle_is_closed_by_the_thread_that_opened_it() -> None:
    threads: list[int] = []

    def numbers() -> Generator[int, None, None]:
        threads.append(get_ident())
        try:
            yield from range(1, 10)
        finally:
            threads.append(get_ident())

    with closing(ahead(numbers())) as found:
        assert [next(found), next(found)] == [1, 2]
    opened, closed = threads
    assert opened == closed != get_ident()


def test_all_come_in_order() -> None:
    assert [*ahead(one for one in range(1, 5))] == [1, 2, 3, 4]
