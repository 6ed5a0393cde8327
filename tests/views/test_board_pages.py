"""Pages of a board are those of the board as it is, however many stand elsewhere than it says, and little is read."""

from bisect import bisect_left
from random import Random
from typing import Any, Final

import pytest

from headway.domain.boards import SPARE, Asking, Board, Pending, Question, Standing
from headway.store.boards import BoardState, Snapshot, Whoever
from headway.views.leaderboards import BoardQuery, Place, Truth

STATE: Final = BoardState("UTC", "2026-03-01", is_built=True)


class Listed(Asking):
    """A board that is a list, and counts how much is read of it, and how often."""

    def __init__(self, standings: list[Standing]) -> None:
        self.standings = standings
        self.read, self.times = 0, 0

    def ask(self, *asked: Question) -> list[Any]:
        self.times += 1
        found = [self._answer(one) for one in asked]
        self.read += sum(len(one) for one in found if isinstance(one, list))
        return found

    def _answer(self, one: Question) -> Any:
        at = bisect_left(self.standings, one.standing)
        if one.what == "above":
            return at
        if one.what == "before":
            return self.standings[max(0, at - one.limit) : at]
        begins = at + one.offset if one.what == "stretch" else at + (one.standing in self.standings)
        return self.standings[begins : begins + one.limit]


def drawn(chance: Random) -> tuple[list[Standing], Pending, list[Standing]]:
    """A board as it is stored, who stands elsewhere by now, and the board as it is."""
    places = range(-chance.choice([3, 40]), 0)
    stored = {f"{n:03}": chance.choice(places) for n in range(chance.choice([0, 5, 60]))}
    share, stays = chance.choice([0.05, 0.5, 0.9]), chance.choice([0, 0.3, 0.8])
    moved = {one for one in stored if chance.random() < share}
    live = {one: chance.choice(places) for one in moved if chance.random() < stays}
    live |= {f"{n:03}": chance.choice(places) for n in range(60, 60 + chance.choice([0, 3, 30]))}
    kept = {one: place for one, place in stored.items() if one not in moved}
    stale = sorted((stored[one], one) for one in moved)
    pending = Pending(stale, sorted((place, one) for one, place in live.items()))
    return listed(stored), pending, listed(kept | live)


def listed(places: dict[str, int]) -> list[Standing]:
    return sorted((place, one) for one, place in places.items())


def truth(pending: Pending, me: Standing | None = None) -> Truth:
    asking = None if me is None else Whoever(me[1], visible=True, place=me[0])
    return Truth(Snapshot(Board("", "all"), "2026-03-10", STATE, False, 1, asking, pending))


def ranked(board: list[Standing]) -> list[tuple[Standing, int]]:
    return [(one, 1 + bisect_left(board, (one[0], ""))) for one in board]


@pytest.mark.parametrize("seed", range(200))
def test_pages_and_neighbors_are_those_of_the_board_as_it_is(seed: int) -> None:
    chance = Random(seed)
    stored, pending, board = drawn(chance)
    limit, begins, found = chance.choice([1, 2, 7]), None, list[tuple[Standing, int]]()
    while True:
        page = truth(pending).read(Listed(stored), BoardQuery("all", None, False, begins, limit))
        found += page.standings
        begins = page.next_place
        if begins is None:
            break
        assert len(page.standings) == limit
    assert found == ranked(board)

    for me in board:
        around = truth(pending, me).read(Listed(stored), BoardQuery("all", None, True, None, limit))
        at, above = board.index(me), (limit - 1) // 2
        assert around.standings == ranked(board)[max(0, at - above) : at + limit - above]
        assert around.rank_of_me == 1 + bisect_left(board, (me[0], ""))
    place = Place(chance.randrange(-45, 0), chance.randrange(9))
    rest = [one for one in ranked(board) if one[0][0] >= place.place][place.skip :]
    page = truth(pending).read(Listed(stored), BoardQuery("all", None, False, place, limit))
    assert page.standings == rest[:limit]


def test_little_is_read_where_those_who_stand_elsewhere_stand_far_away() -> None:
    stored = [(-1_000 + n, f"{n:03}") for n in range(900)]
    gone = stored[-200:]
    pending = Pending(gone, [(place + 1, one) for place, one in gone])
    for around, me in ((False, stored[500]), (True, stored[20])):
        board = Listed(stored)
        found = truth(pending, me).read(board, BoardQuery("all", None, around, None, 10))
        assert len(found.standings) == 10
        assert board.read <= 10 + 2 * SPARE + 1
        assert board.times == 1 + around
