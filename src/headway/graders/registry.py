"""All graders by type: the built-in ones, and plugins of the entry point group `headway.graders`."""

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from threading import Lock
from typing import Any, ClassVar, Final, Protocol, cast

import msgspec
import structlog

from headway.domain.errors import HeadwayError
from headway.domain.faults import Fault, Faults, show
from headway.domain.fields import kind_of
from headway.domain.scores import FULL
from headway.domain.step_status import MANUAL
from headway.graders import choice, manual, multiple, number, order, regex, text
from headway.graders.verdict import ResponseInvalid, Verdict

log = structlog.get_logger()

GROUP: Final = "headway.graders"
_LOADING = Lock()
# What a plugin may raise: any exception, and SystemExit, as when it runs a program's own code that calls exit().
_RAISED = (Exception, SystemExit)


class Grader(Protocol):
    """Judges the responses to one type of question; a module can be one.

    `config` is the manifest's `grader` as parsed JSON, its `type` included. A plugin must not change its arguments.
    """

    def check(self, config: Mapping[str, Any]) -> Sequence[tuple[str, str]]:
        """The faults of a configuration, as (path within it, what to fix); empty where it can be graded."""

    def grade(self, config: Mapping[str, Any], response: object) -> Verdict:
        """The verdict on a response; ResponseInvalid where the response does not fit the question."""

    def public(self, config: Mapping[str, Any]) -> Mapping[str, Any]:
        """The part of a configuration that learners may see: never the answer."""


class GraderFault(HeadwayError):
    """A grader is missing or failed; the server is at fault, and not the learner who answered."""


class GraderMissing(GraderFault):
    """The grader that this step needs is not installed here."""

    code: ClassVar[str] = "grader-missing"


class GraderFailed(GraderFault):
    """The grader of this step failed."""

    code: ClassVar[str] = "grader-failed"


BUILT_IN: Final[Mapping[str, Grader]] = {
    "choice": choice,
    "multiple": multiple,
    "text": text,
    "regex": regex,
    "number": number,
    "order": order,
    MANUAL: manual,
}


def check_grader(config: Mapping[str, Any]) -> list[Fault]:
    """The faults of a grader's configuration, by their paths within it."""
    faults = Faults()
    kind = config.get("type")
    if kind is None:
        faults.add("type", f"is missing; write one of {_types()}")
    elif not isinstance(kind, str):
        faults.add("type", f"must be one of {_types()}, not {kind_of(kind)}")
    elif kind in BUILT_IN:
        return [Fault(*fault) for fault in BUILT_IN[kind].check(config)]
    elif kind in _plugins():
        return _check_with_plugin(kind, config)
    else:
        hint = faults.did_you_mean(kind, [*BUILT_IN, *_plugins()])
        faults.add("type", f"must be one of {_types()}, or of a plugin that is installed here{hint}")
    return faults.found


def grade(config: Mapping[str, Any], response: object) -> Verdict:
    """The verdict on a response, by a grader whose configuration was checked at publishing.

    ResponseInvalid where the response does not fit, GraderMissing or GraderFailed where a plugin is at fault.
    """
    built_in = BUILT_IN.get(config["type"])
    return built_in.grade(config, response) if built_in else _grade_with_plugin(config, response)


def is_plugins(config: Mapping[str, Any]) -> bool:
    """Whether a plugin grades this configuration."""
    return config["type"] not in BUILT_IN


def public_grader(config: Mapping[str, Any]) -> dict[str, Any]:
    """What learners may see of a grader's configuration; only its type where its plugin fails or is missing."""
    kind = config["type"]
    if kind in BUILT_IN:
        return dict(BUILT_IN[kind].public(config))
    try:
        shown: dict[str, Any] = {**_plugin(kind).public(config), "type": kind}
        # Encode and decode: what JSON cannot hold must fail here, and not with the whole outline.
        return cast(dict[str, Any], msgspec.json.decode(msgspec.json.encode(shown)))
    except _RAISED:
        return {"type": kind}


def _check_with_plugin(kind: str, config: Mapping[str, Any]) -> list[Fault]:
    try:
        return [Fault(_text(str(path)), _text(str(message))) for path, message in _plugin(kind).check(config)]
    except _RAISED as failure:
        return [Fault("type", f"names a plugin that could not check this: {show(repr(failure))}")]


def _grade_with_plugin(config: Mapping[str, Any], response: object) -> Verdict:
    kind = config["type"]
    plugin = _plugin(kind)
    try:
        return _judged(plugin, config, response)
    except ResponseInvalid:
        raise
    except _RAISED as failure:
        # A plugin's exception may contain the answer: write it to the log, and never show it to the learner.
        log.exception("grader_failed", kind=kind)
        raise GraderFailed(f"grader {show(kind)} failed on this response; the server's log says why") from failure


def _judged(plugin: Grader, config: Mapping[str, Any], response: object) -> Verdict:
    try:
        return _verdict(*plugin.grade(config, response))
    except ResponseInvalid as refusal:
        _text(refusal.detail)
        raise


def _verdict(score: object, feedback: object) -> Verdict:
    """A plugin's verdict; ValueError where it is not valid, so that it cannot damage the sums."""
    if isinstance(score, bool) or not isinstance(score, int) or not 0 <= score <= FULL:
        raise ValueError(f"the score must be a whole number from 0 to {FULL:,}")
    return Verdict(score, _text(feedback))


def _text(said: object) -> str:
    """A plugin's text; ValueError where a reply cannot hold it."""
    if not isinstance(said, str):
        raise ValueError(f"what is said must be a text, not {kind_of(said)}")
    said.encode()  # half a character cannot be
    return said


@cache
def _plugins() -> Mapping[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUP) if point.name not in BUILT_IN}


def _plugin(kind: str) -> Grader:
    if kind not in _plugins():
        raise GraderMissing(f"grader {show(kind)} is not installed on this server; its operator can install it")
    # The lock keeps two threads from loading a plugin twice.
    with _LOADING:
        return _loaded(kind)


@cache
def _loaded(kind: str) -> Grader:
    try:
        return cast(Grader, _plugins()[kind].load())
    except _RAISED as failure:
        raise GraderMissing(f"grader {show(kind)} could not be loaded: {show(repr(failure))}") from failure


def _types() -> str:
    return ", ".join([*BUILT_IN, *sorted(_plugins())])
