"""What the server counts, for Prometheus, for readiness, and in traces."""

import socket
import time
from pathlib import Path
from random import Random
from typing import Any

import httpx2
import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client.parser import text_string_to_metric_families

from headway.cli.serve import run as serve
from headway.http import app as wiring
from headway.http.redis_ping import fault_of_redis
from headway.http.services import Services
from headway.http.tracing import TracingMissing, provider_of
from headway.ledger.backup import backup
from headway.settings import Settings
from tests.http.server import NO_TLS, Site, serving
from tests.http.test_events import event
from tests.redis_server import RedisServer, redis_server
from tests.torture.client import new_guest, prepare
from tests.torture.load import Tally, load, wait_for
from tests.torture.server import Server

__all__ = ["redis_server"]
TOKEN = "a-token-of-24-characters"


def scraped(url: str, **headers: str) -> dict[str, float]:
    """The samples, by name and labels as Prometheus writes them."""
    reply = httpx2.get(f"{url}/metrics", headers=headers, verify=NO_TLS)
    assert reply.status_code == 200, reply.text
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(reply.text):
        for one in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sorted(one.labels.items()))
            assert f"{one.name}{{{labels}}}" not in found
            found[f"{one.name}{{{labels}}}"] = one.value
    return found


def test_requests_events_and_transactions_are_counted(site: Site, tmp_path: Path) -> None:
    guest, recorded = site.guest(), event(step="for-1")
    for sent in ([recorded, event(step="fizz")], [recorded, event(step="none")]):
        assert guest.post("/events", json={"events": sent}).status_code == 200
    guest.get("/progress")
    site.client().get("/nowhere")
    guest.get("/stream?seconds=0")
    backup(site.database, tmp_path / "saved.hw", now=lambda: time.time_ns() // 1000)
    found = scraped(site.url)
    assert found["headway_requests_total{operation=record_events,status=200}"] == 2
    assert found["headway_request_seconds_count{operation=record_events}"] == 2
    assert found["headway_requests_total{operation=none,status=404}"] == 1
    assert found["headway_requests_total{operation=stream,status=200}"] == 1
    assert "headway_request_seconds_count{operation=stream}" not in found
    assert found["headway_events_total{outcome=recorded,reason=}"] == 2
    assert found["headway_events_total{outcome=duplicate,reason=}"] == 1
    assert found["headway_events_total{outcome=refused,reason=unknown-step}"] == 1
    assert found["headway_batch_events_sum{}"] == 4
    assert found["headway_commit_wait_seconds_count{}"] == 2
    assert (found["headway_queue_events{}"], found["headway_queue_lag_seconds{}"]) == (0, 0)
    assert found["headway_writer_commits{}"] == 2
    assert found["headway_database_up{}"] == 1
    assert found["headway_database_bytes{}"] > 100_000
    assert time.time() - found["headway_last_backup_timestamp_seconds{}"] < 60
    assert "headway_last_audit_timestamp_seconds{}" not in found


def test_metrics_are_told_to_this_machine_or_by_token(sqlite_url: str) -> None:
    with serving(sqlite_url) as site:
        scraped(site.url)
        proxied = httpx2.get(f"{site.url}/metrics", headers={"x-forwarded-for": "127.0.0.1"}, verify=NO_TLS)
        assert (proxied.status_code, "metrics_token" in proxied.json()["detail"]) == (403, True)
    with serving(sqlite_url, trusted_proxies="127.0.0.1") as site:
        for address in ("127.0.0.1", "203.0.113.5"):
            asked = httpx2.get(f"{site.url}/metrics", headers={"x-forwarded-for": address}, verify=NO_TLS)
            assert asked.status_code == 403
    with serving(sqlite_url, metrics_token=TOKEN) as site:
        for sent in ({}, {"authorization": TOKEN}, {"authorization": f"Bearer {TOKEN}x"}):
            assert httpx2.get(f"{site.url}/metrics", headers=sent, verify=NO_TLS).status_code == 401
        scraped(site.url, authorization=f"Bearer {TOKEN}", **{"x-forwarded-for": "203.0.113.5"})


@pytest.mark.long
def test_whichever_worker_is_asked_tells_of_all_and_of_none_that_was_killed(
    postgresql_url: str, tmp_path: Path
) -> None:
    prepare(postgresql_url)
    with Server(postgresql_url, tmp_path, "--workers", "2") as server:
        url = f"http://127.0.0.1:{server.port}"
        rng = Random(3)
        tally = Tally([new_guest(server.port) for _ in range(4)])
        with load(tally, rng, server.port, connections=8, pace_s=0.01):
            wait_for(60, tally)
        counted = {scraped(url)["headway_events_total{outcome=recorded,reason=}"] for _ in range(12)}
        assert counted == {len(tally.sent)}
        of_database = {name for name in scraped(url) if name.startswith("headway_database_")}
        assert of_database == {
            "headway_database_up{}",
            "headway_database_bytes{}",
        }  # and not what each worker last found
        folder = shared_folder(server)
        killed = folder / f"gauge_livesum_{2**22 + 1}.db"  # no process has that number
        killed.write_bytes(next(folder.glob("gauge_livesum_*")).read_bytes())
        scraped(url)
        assert not killed.exists()
        assert server.stop() == 0
    assert not folder.exists()


def shared_folder(server: Server) -> Path:
    """Where the workers share what they count, as the system has it mapped."""
    mapped = Path(f"/proc/{server.workers()[0]}/maps").read_text().split()
    return next(Path(one).parent for one in mapped if "headway-metrics-" in one)


def test_a_redis_is_asked_whether_it_answers(redis_server: RedisServer) -> None:
    at = f"127.0.0.1:{redis_server.port}"
    assert fault_of_redis(f"redis://{at}/0") is None
    redis_server.client.config_set("requirepass", "pass word")
    assert fault_of_redis(f"redis://:pass%20word@{at}/0") is None
    assert "NOAUTH" in str(fault_of_redis(f"redis://{at}"))
    wrong = str(fault_of_redis(f"redis://:hunter2@{at}"))
    assert "WRONGPASS" in wrong
    assert "hunter2" not in wrong
    assert fault_of_redis("http://127.0.0.1") is not None
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        assert fault_of_redis(f"redis://127.0.0.1:{silent.getsockname()[1]}") is not None


def test_ready_tells_of_the_cache_and_does_not_depend_on_it(sqlite_url: str, redis_server: RedisServer) -> None:
    with serving(sqlite_url, redis_url=redis_server.url) as site:
        # It is given a second to answer, which a machine that does much else may not have.
        assert any(ready(site)[1]["cache"] == "reachable" for _ in range(5))
        redis_server.stop()
        status, told = ready(site)
        assert (status, told["status"], told["cache"]) == (200, "ready", "unreachable")
    with serving(sqlite_url) as site:
        assert "cache" not in ready(site)[1]


def test_who_is_about_to_stop_is_not_ready(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    services = Services(Settings(database_url=sqlite_url))
    monkeypatch.setattr(wiring, "Services", lambda _: services)
    with serving(sqlite_url) as site:
        services.stopping.set()
        assert (ready(site)[0], ready(site)[1]["status"]) == (503, "stopping")
        assert httpx2.get(f"{site.url}/health/live", verify=NO_TLS).status_code == 200


def ready(site: Site) -> tuple[int, dict[str, Any]]:
    reply = httpx2.get(f"{site.url}/health/ready", verify=NO_TLS)
    return reply.status_code, reply.json()


def test_a_request_is_a_span_of_the_trace_that_it_came_with(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    exporter = InMemorySpanExporter()
    monkeypatch.setattr(wiring, "provider_of", lambda: provider_of(exporter))
    trace, caller = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    with serving(sqlite_url, tracing=True) as site:
        site.publish()
        guest = site.guest()
        guest.post("/events", json={"events": [event()]}, headers={"traceparent": f"00-{trace}-{caller}-01"})
        guest.get("/progress/courses/none")
        ready(site)
    spans = {one.name: one for one in exporter.get_finished_spans()}
    assert spans.keys() == {"make_guest", "record_events", "read_course_progress"}
    recorded, missing = spans["record_events"], spans["read_course_progress"]
    assert recorded.context is not None
    assert recorded.parent is not None
    assert (f"{recorded.context.trace_id:032x}", f"{recorded.parent.span_id:016x}") == (trace, caller)
    assert missing.attributes is not None
    assert missing.attributes["http.response.status_code"] == 404
    told = {str(value) for one in spans.values() for value in (one.attributes or {}).values()}
    assert "python-basics" not in str(told)


def test_who_asks_for_traces_without_their_extra_is_told_before_anything_starts(
    new_sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("headway.http.tracing.find_spec", lambda name: None if name.endswith("sdk") else object())
    with pytest.raises(TracingMissing, match=r"headway\[otel\]"):
        serve(Settings(database_url=new_sqlite_url, tracing=True, port=0))
    assert list(tmp_path.iterdir()) == []
