"""Headway beside the usual design and beside HTTP that stores nothing, in the same run, in turns."""

import argparse
import json
import os
import sys
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from statistics import median

from benchmarks.command import kinds, options_of_databases
from benchmarks.contenders import (
    CONTENDERS,
    HEADWAY,
    LIMITS,
    NOTHING,
    NOTHING_BARE,
    USUAL,
    Contender,
    headway,
    missing_rows,
    start,
)
from benchmarks.databases import Databases
from benchmarks.figures import FIGURE_HEADS, Figure, table
from benchmarks.load import BATCHES, FAULTS_SHOWN, SINGLES, WARM_S, Load, Measured, measure, requests_for
from benchmarks.servers import Broken

TIMES_USUAL = 15.0
SHARE_OF_LIMIT = 0.40
BATCH_RATES = {"sqlite": 10_000.0, "postgresql": 15_000.0}
P99_MS = 50.0
IDLE_MB = 150.0
READY_S = 2.0
ROUND_HEADS = ("load", "server", "events/s", "of each round", "p50 ms", "p99 ms", "max ms", "CPU µs/event")


@dataclass
class Outcome:
    """What one kind of database showed."""

    database: str
    runs: dict[tuple[str, str], list[Measured]] = field(default_factory=dict)
    figures: list[Figure] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def add(self, load: Load, name: str, measured: Measured) -> None:
        """Keep a run."""
        self.runs.setdefault((load.name, name), []).append(measured)
        self.faults += [f"{name}, {load.name}: {fault}" for fault in measured.faults[:FAULTS_SHOWN]]

    def of(self, load: Load, name: str) -> list[Measured]:
        """The runs of a contender under a load, round by round."""
        return self.runs.get((load.name, name), [])


def compare(database: str, given: argparse.Namespace) -> Outcome:
    """Measure all contenders on one kind of database."""
    outcome = Outcome(database)
    with Databases(given.dir) as databases, ExitStack() as stack:
        if not databases.on_disk():
            outcome.faults.append(f"{databases.folder} is in memory: commits wait for no disk; name another with --dir")
        contenders = [start(name, database, databases, stack) for name in CONTENDERS if name in given.only]
        for load in (SINGLES, BATCHES):
            _rounds(outcome, load, contenders, given)
        outcome.faults += [fault for fault in map(missing_rows, contenders) if fault]
        outcome.figures = [*_rates(outcome), *_footprint(contenders)]
        _audit(contenders, given)
    return outcome


def _rounds(outcome: Outcome, load: Load, contenders: Sequence[Contender], given: argparse.Namespace) -> None:
    """Rounds in which every contender has its turn, so that what slows the machine slows all of them."""
    for number in range(given.rounds):
        for contender in contenders:
            if load is BATCHES and contender.name in LIMITS:
                continue
            _say(f"{outcome.database}, {load.name}, round {number + 1}: {contender.name}")
            asked = _fitted(load, outcome.of(load, contender.name))
            outcome.add(load, contender.name, _run(contender, asked, given))


def _run(contender: Contender, load: Load, given: argparse.Namespace) -> Measured:
    """One turn of one contender."""
    server = contender.server
    requests = requests_for(server.port, load, contender.tokens, given.seconds + given.warm)
    cpu_s = server.cpu_s()
    measured = measure(server.port, load, requests, given.seconds, given.warm)
    if measured.acknowledged:
        measured.cpu_us = (server.cpu_s() - cpu_s) / measured.acknowledged * 1e6
    contender.acknowledged += measured.acknowledged
    return measured


def _fitted(load: Load, runs: Sequence[Measured]) -> Load:
    """The load with twice the requests that the rounds before could use: the others would be made in vain."""
    if not runs:
        return load
    most = 2 * max(run.rate for run in runs) / load.batch
    return replace(load, requests_a_second=min(load.requests_a_second, int(most) + 1))


def _rates(outcome: Outcome) -> Iterable[Figure]:
    """The figures of throughput and latency, of those contenders that ran."""
    singles = outcome.of(SINGLES, HEADWAY)
    for other, target in ((USUAL, TIMES_USUAL), (NOTHING, SHARE_OF_LIMIT), (NOTHING_BARE, None)):
        ratio = _ratio(singles, outcome.of(SINGLES, other))
        if ratio is not None:
            yield Figure(f"{SINGLES.name}: headway / {other}", ratio, "at least", target, ".2f")
    if singles:
        p99 = median(run.latency(0.99) for run in singles)
        yield Figure(f"{SINGLES.name}: headway's p99", p99, "under", P99_MS, ".1f", " ms")
        rate = median(run.rate for run in outcome.of(BATCHES, HEADWAY))
        yield Figure(f"{BATCHES.name}: headway", rate, "at least", BATCH_RATES[outcome.database], unit=" events/s")


def _ratio(ours: Sequence[Measured], theirs: Sequence[Measured]) -> float | None:
    """The median of the rounds' ratios: a round's two runs lie next to each other in time."""
    ratios = [a.rate / b.rate for a, b in zip(ours, theirs, strict=False) if b.rate]
    return median(ratios) if ratios else None


def _footprint(contenders: Sequence[Contender]) -> Iterable[Figure]:
    for contender in contenders:
        if contender.name == HEADWAY:
            yield Figure("headway, idle worker", contender.idle_mb, "under", IDLE_MB, ".0f", " MB")
            yield Figure("headway, start to ready", contender.server.ready_s, "under", READY_S, ".2f", " s")


def _audit(contenders: Sequence[Contender], given: argparse.Namespace) -> None:
    for contender in contenders:
        if given.audit and contender.name == HEADWAY and contender.url:
            _say("headway audit")
            headway("audit", "--database", contender.url)


def report(outcome: Outcome) -> str:
    """Both tables of one kind of database, and what went wrong."""
    rounds = [_round_row(load, name, runs) for (load, name), runs in outcome.runs.items()]
    parts = [f"== {outcome.database}", table(ROUND_HEADS, rounds)]
    if outcome.figures:
        parts.append(table(FIGURE_HEADS, [figure.row() for figure in outcome.figures]))
    parts += [f"FAULT {fault}" for fault in outcome.faults]
    return "\n\n".join(parts)


def _round_row(load: str, name: str, runs: Sequence[Measured]) -> tuple[str, ...]:
    latencies = [f"{median(run.latency(share) for run in runs):.1f}" for share in (0.5, 0.99)]
    slowest = f"{max(run.latency(1) for run in runs):.0f}"
    rate = f"{median(run.rate for run in runs):,.0f}"
    cpu = median(run.cpu_us or 0.0 for run in runs)
    return load, name, rate, " ".join(f"{run.rate:,.0f}" for run in runs), *latencies, slowest, f"{cpu:.0f}"


def plain(outcome: Outcome) -> dict[str, object]:
    """An outcome as JSON takes it."""
    runs = [
        {
            "load": load,
            "server": name,
            "rates": [run.rate for run in found],
            "p99_ms": [run.latency(0.99) for run in found],
            "cpu_us": [run.cpu_us for run in found],
        }
        for (load, name), found in outcome.runs.items()
    ]
    figures = [figure.plain() for figure in outcome.figures]
    return {"database": outcome.database, "runs": runs, "figures": figures, "faults": outcome.faults}


def _say(what: str) -> None:
    print(f"   {what}", file=sys.stderr, flush=True)


def options(argv: Sequence[str] | None) -> argparse.Namespace:
    """What the command line asks for."""
    parser = options_of_databases("bench", __doc__)
    parser.add_argument(
        "--only", type=lambda names: names.split(","), default=list(CONTENDERS), help="of " + ",".join(CONTENDERS)
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5.0, help="measured in each run")
    parser.add_argument("--warm", type=float, default=WARM_S, help="seconds before them that do not count")
    parser.add_argument("--quick", action="store_true", help="one round of two seconds, for a short look")
    parser.add_argument("--audit", action="store_true", help="run `headway audit` over what was recorded")
    given = parser.parse_args(argv)
    if unknown := set(given.only) - set(CONTENDERS):
        parser.error(f"--only knows {', '.join(CONTENDERS)}, not {', '.join(unknown)}")
    if given.quick:
        given.rounds, given.seconds = 1, 2.0
    return given


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, and say by the exit code whether all went as it must."""
    given = options(argv)
    machine = f"{os.cpu_count()} cores; load average before: {os.getloadavg()[0]:.1f}. The ratios count, not the rates."
    try:
        outcomes = [compare(kind, given) for kind in kinds(given)]
    except Broken as error:
        print(error, file=sys.stderr)
        return 1
    print("\n\n".join([machine, *map(report, outcomes)]))
    if given.json:
        given.json.write_text(json.dumps([plain(outcome) for outcome in outcomes], indent=2) + "\n")
    missed = any(not figure.met for outcome in outcomes for figure in outcome.figures)
    return int(any(outcome.faults for outcome in outcomes) or (given.strict and missed))
