"""Who may do what: each operation of the contract, asked by every kind of caller that `contract/authz.yaml` names."""

import json
import re
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import httpx2
import pytest
import yaml

from headway.http.contract import OPERATIONS
from headway.store import schema
from tests.http.cast import OBJECTS, Cast, empty
from tests.http.server import COURSE, Site, serving
from tests.http.test_events import event

CONTRACT = Path(__file__).parents[2] / "contract"
RULES: dict[str, Any] = yaml.safe_load((CONTRACT / "authz.yaml").read_text(encoding="utf-8"))
DOCUMENT: dict[str, Any] = json.loads((CONTRACT / "openapi.json").read_text(encoding="utf-8"))
CALLERS: dict[str, str] = RULES["callers"]
PLACES: dict[str, tuple[str, str]] = {
    one["operationId"]: (method.upper(), path)
    for path, methods in DOCUMENT["paths"].items()
    for method, one in methods.items()
}
NOT_COMPARED = {"throttle", "security_event"}  # refusals are counted and noted
NOT_COMPARED |= {"board_move", "board_row", "board_tally", "board", "board_state"}  # the server sees to them by itself
NOT_ALIKE = {"date", "x-request-id", "content-length"}


class Case(NamedTuple):
    """One request of `authz.yaml`, who is answered how, and what those who may are told of what is not there."""

    operation: str
    number: int
    ask: str
    send: Any
    expected: Mapping[str, int]
    missing: int

    @property
    def method(self) -> str:
        return PLACES[self.operation][0]

    @property
    def objects(self) -> list[str]:
        """The objects of the request that are somebody's own."""
        named = re.findall(r"\{([^{}]+)\}", f"{self.ask} {self.send}")
        return [name for name in dict.fromkeys(named) if name in OBJECTS and OBJECTS[name].missing]


def cases_of(operation: str, rules: list[dict[Any, Any]]) -> Iterator[Case]:
    for number, rule in enumerate(rules):
        left = dict(rule)
        ask, send, missing = left.pop("ask"), left.pop("send", None), left.pop("missing", 404)
        yield Case(operation, number, ask, send, expected_of(left, f"{operation}, request {number + 1}"), missing)


def expected_of(named: dict[Any, Any], place: str) -> dict[str, int]:
    """The status of every caller; each must be named once."""
    expected: dict[str, int] = {}
    for status, words in named.items():
        assert isinstance(status, int), f"{place}: {status} is no status"
        for caller in (one for word in words.split() for one in RULES["groups"].get(word, word).split()):
            if caller != "others":
                assert caller in CALLERS, f"{place}: there is no caller {caller}"
                assert expected.setdefault(caller, status) == status, f"{place}: {caller} is named twice"
    others = [status for status, words in named.items() if "others" in words.split()]
    assert len(others) <= 1, f"{place}: two statuses are for others"
    return {caller: expected.get(caller, *others) for caller in CALLERS}


CASES = [case for operation, rules in RULES["operations"].items() for case in cases_of(operation, rules)]


def named(cases: list[Case]) -> list[Any]:
    return [pytest.param(case, id=f"{case.operation}-{case.number + 1}") for case in cases]


class Stage:
    """A server and a cast, made anew once somebody of it has changed something."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.digest = ""
        self._cast: Cast | None = None
        self._http = httpx2.Client(base_url=site.url, timeout=30)

    def close(self) -> None:
        self._http.close()

    @property
    def cast(self) -> Cast:
        if self._cast is None:
            empty(self.site.database, kept=COURSE["id"])
            self._cast = Cast(self.site.database, self._write)
            self.digest = self.tables()
        return self._cast

    def _write(self, headers: Mapping[str, str]) -> None:
        self._http.cookies.clear()
        sent = {"events": [event(step="none")]}
        assert self._http.post("/api/v1/events", json=sent, headers=headers).status_code == 200

    def ask(self, case: Case, caller: str, *, absent: bool = False) -> httpx2.Response:
        """The answer to a request; what is somebody's own is not there where `absent`."""
        cast, given = self.cast, {}
        for name, thing in OBJECTS.items():
            given[name] = thing.missing() if absent and thing.missing else thing.there(cast)
        ask = case.ask.format_map(given)
        path = ask if ask.partition("?")[0] in DOCUMENT["paths"] else f"/api/v1{ask}"
        sent = OPERATIONS[case.operation].sent if case.send is None else filled(case.send, given)
        self._http.cookies.clear()
        return self._http.request(case.method, path, json=sent, headers=cast.callers[caller].headers)

    def check_unchanged(self, case: Case) -> None:
        """Whatever is read or refused changes nothing."""
        now = self.tables()
        changed, self.digest = now != self.digest, now
        assert not changed, f"{case.method} {case.ask} was read or refused, and changed a table"

    def recast(self) -> None:
        """Have another cast for the next request: somebody changed something."""
        self._cast = None

    def tables(self) -> str:
        """A digest of every row of every table."""
        told = sha256()
        with self.site.database.read() as connection:
            for table in schema.metadata.sorted_tables:
                if table.name not in NOT_COMPARED:
                    # Straight from the driver, for this is what takes most of this file's time.
                    rows = connection.exec_driver_sql(f"SELECT * FROM {table.name}").cursor
                    assert rows is not None
                    told.update(f"{table.name}{sorted(map(repr, rows.fetchall()))}".encode())
        return told.hexdigest()


def filled(sent: Any, given: Mapping[str, Any]) -> Any:
    """A body with its objects; a text that is nothing but `{object}` becomes the object itself."""
    if isinstance(sent, dict):
        return {name: filled(value, given) for name, value in sent.items()}
    if isinstance(sent, list):
        return [filled(value, given) for value in sent]
    if not isinstance(sent, str):
        return sent
    whole = re.fullmatch(r"\{([^{}]+)\}", sent)
    return given[whole[1]] if whole else sent.format_map(given)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def stage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    if request.param == "sqlite":
        with serving(f"sqlite:///{tmp_path_factory.mktemp('authz') / 'headway.db'}") as site:
            yield from staged(site)
    else:
        with request.getfixturevalue("postgres").fresh() as url, serving(url) as site:
            yield from staged(site)


def staged(site: Site) -> Iterator[Stage]:
    site.publish()
    stage = Stage(site)
    yield stage
    stage.close()


def test_every_operation_of_the_contract_has_rules_and_every_rule_an_operation() -> None:
    assert set(RULES["operations"]) == set(PLACES)
    assert all(RULES["operations"].values()), "an operation without a request"


@pytest.mark.parametrize("case", named(CASES))
def test_a_rule_asks_the_operation_that_it_stands_under(case: Case) -> None:
    path = PLACES[case.operation][1].removeprefix("/api/v1")
    assert re.fullmatch(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path)), case.ask.partition("?")[0])
    assert set(re.findall(r"\{([^{}']+)\}", f"{case.ask} {case.send if isinstance(case.send, str) else ''}")) <= set(
        OBJECTS
    )


@pytest.mark.parametrize("case", named(CASES))
def test_each_caller_is_answered_as_the_rules_say(stage: Stage, case: Case) -> None:
    changing = [one for one in CALLERS if case.method != "GET" and case.expected[one] < 400]
    wrong: dict[str, str] = {}
    for one in changing:
        reply = stage.ask(case, one)
        if reply.status_code != case.expected[one]:
            # What it is about may be gone, or done, by another who was let do it.
            stage.recast()
            reply = stage.ask(case, one)
        wrong |= wrongly_answered({one: reply}, case.expected)
    if changing:
        stage.recast()
    replies = {one: stage.ask(case, one) for one in CALLERS if one not in changing}
    wrong |= wrongly_answered(replies, case.expected)
    if wrong:
        stage.recast()
    assert not wrong
    if replies:
        stage.check_unchanged(case)


@pytest.mark.parametrize("case", named([case for case in CASES if case.objects]))
def test_what_is_not_there_reads_as_what_one_may_not_have(stage: Stage, case: Case) -> None:
    expected = {one: case.missing if status < 400 else status for one, status in case.expected.items()}
    replies = {one: stage.ask(case, one, absent=True) for one in CALLERS}
    wrong = wrongly_answered(replies, expected)
    if wrong:
        stage.recast()
    assert not wrong
    for one, reply in replies.items():
        if case.expected[one] >= 400:
            # Of a session that the server still remembered it says in other words that it has ended.
            absent = stage.ask(case, one, absent=True) if case.expected[one] == 401 else reply
            assert told(stage.ask(case, one)) == told(absent), one
    if case.method == "GET" or case.missing >= 400:
        stage.check_unchanged(case)
    else:
        stage.recast()


def wrongly_answered(replies: Mapping[str, httpx2.Response], expected: Mapping[str, int]) -> dict[str, str]:
    """What callers were told that the rules do not say."""
    found = {one: reply for one, reply in replies.items() if reply.status_code != expected[one]}
    return {one: f"{reply.status_code} for {expected[one]}: {reply.text}" for one, reply in found.items()}


def told(reply: httpx2.Response) -> tuple[int, bytes, list[tuple[str, str]]]:
    """All of a reply but what is another one each time."""
    request_id = reply.headers["x-request-id"].encode()
    headers = sorted(one for one in reply.headers.multi_items() if one[0].lower() not in NOT_ALIKE)
    return reply.status_code, reply.content.replace(request_id, b"-"), headers
