"""From a manifest to a course: every default is filled in, and every fault is found and named by its path."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, TypeAlias, cast

from headway.domain.course import (
    COMPLETE_BY,
    DEFAULT_POLICIES,
    DEFAULT_WEIGHTS,
    EVIDENCE,
    KINDS,
    ONE,
    POINTS,
    POLICIES,
    CompleteBy,
    Course,
    Evidence,
    Module,
    Policies,
    Policy,
    Step,
    StepKind,
    Weights,
)
from headway.domain.exercise_files import read_files, read_test
from headway.domain.faults import FAULTS_MAX, Faults, ManifestInvalid, join, within
from headway.domain.fields import Fields
from headway.domain.names import check_names, with_required_keys
from headway.domain.plain_json import copy_json
from headway.domain.prerequisites import check_prerequisites

CheckGrader: TypeAlias = Callable[[Mapping[str, Any]], Sequence[tuple[str, str]]]

MODULES_MAX: Final = 1_000
REQUIRES_MAX: Final = 10_000
STEPS_MAX: Final = 10_000
TOPICS_MAX: Final = 50
OLD_NAMES_MAX: Final = 50
TOPIC_MAX: Final = 100
DESCRIPTION_MAX: Final = 20_000
PROMPT_MAX: Final = 20_000
BODY_MAX: Final = 200_000
URL_MAX: Final = 2_000
LOCALE_MAX: Final = 35
WEIGHT_MAX: Final = 1_000_000
POINTS_MAX: Final = 1_000_000
# Exact both: a percentage with four decimals is whole millionths, and so is a weight with six.
_PERCENT_PLACES: Final = 4
_WEIGHT_PLACES: Final = 6

COURSE_FIELDS: Final = (
    "id",
    "title",
    "description",
    "locale",
    "certificate",
    "pass_mark",
    "complete_by",
    "weights",
    "policies",
    "evidence",
    "modules",
)
MODULE_FIELDS: Final = (
    "id",
    "title",
    "description",
    "requires",
    "pass_mark",
    "complete_by",
    "weight",
    "weights",
    "policies",
    "steps",
    "renamed_from",
)
STEP_FIELDS: Final = (
    "id",
    "kind",
    "title",
    "topics",
    "pass_mark",
    "weight",
    "points",
    "prompt",
    "body",
    "url",
    "grader",
    "renamed_from",
    "files",
    "test",
)

_URL = re.compile(r"https?://[^\s/?#<>\"\\]+[^\s<>\"\\]*", re.ASCII | re.IGNORECASE)
_LOCALE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*", re.ASCII)


def parse_manifest(raw: object, *, check_grader: CheckGrader) -> Course:
    """The course that a manifest describes; ManifestInvalid holds all of its faults.

    `raw` is the manifest as parsed from JSON or YAML. `check_grader` returns the faults of a grader's configuration as
    (path within it, message).
    """
    parser = _Parser(check_grader)
    course = parser.course(raw)
    if parser.faults.found:
        raise ManifestInvalid(parser.faults.listed())
    return course


class _Parser:
    """Reads a manifest from the outside in; a faulty value is noted and replaced by its default."""

    def __init__(self, check_grader: CheckGrader) -> None:
        self.faults = Faults()
        self.check_grader = check_grader

    def course(self, raw: object) -> Course:
        fields = Fields(raw, "a course", COURSE_FIELDS, "", self.faults)
        bare = Course(
            id=fields.slug("id"),
            title=fields.text("title"),
            description=fields.optional_text("description", DESCRIPTION_MAX),
            locale=_locale(fields),
            certificate=fields.flag("certificate", False),
            pass_mark=_percent(fields, "pass_mark", 800_000),
            complete_by=_complete_by(fields, "score"),
            weights=self._course_weights(fields),
            policies=self._policies(fields, DEFAULT_POLICIES),
            evidence=cast(Evidence, fields.one_of("evidence", EVIDENCE, "any")),
            modules=(),
        )
        return self._with_modules(bare, fields)

    def _with_modules(self, bare: Course, fields: Fields) -> Course:
        listed = fields.items("modules", MODULES_MAX, required=True)
        if not self._few_enough_steps(listed, fields):
            return bare
        paths = [join("modules", i) for i in range(len(listed))]
        opened = [
            Fields(raw, "a module", MODULE_FIELDS, path, self.faults) for raw, path in zip(listed, paths, strict=True)
        ]
        modules: list[Module] = []
        for module in opened:
            modules.append(self._module(module, bare, modules[-1] if modules else None))
        if modules and not any(module.weight for module in modules):
            fields.fault("modules", "all weigh 0, so that the course would have no score; give one a weight above 0")
        check_names(modules, self.faults)
        self._check_prerequisites(modules, paths)
        return replace(bare, modules=tuple(modules) if self.faults.found else with_required_keys(modules))

    def _check_prerequisites(self, modules: Sequence[Module], paths: Sequence[str]) -> None:
        requires: dict[str, tuple[str, ...]] = {}
        places: dict[str, str] = {}
        now = {old: module.id for module in modules for old in module.renamed_from}
        now |= {module.id: module.id for module in modules}
        for module, path in zip(modules, paths, strict=True):
            # Of two modules with the same id (itself a fault) the first is meant, so that the second makes no circle.
            if module.id and module.id not in requires:
                requires[module.id] = tuple(now.get(name, name) for name in module.requires)
                places[module.id] = join(path, "requires")
        listed = sum(map(len, requires.values()))
        if listed > REQUIRES_MAX:
            fault = f"name {listed:,} prerequisites; at most {REQUIRES_MAX:,} are taken: a module that requires another"
            self.faults.add("modules", f"{fault} need not name what that one requires")
            return
        check_prerequisites(requires, places, self.faults)

    def _few_enough_steps(self, listed: Sequence[Any], fields: Fields) -> bool:
        lists = (module.get("steps") for module in listed if isinstance(module, Mapping))
        steps = sum(len(one) for one in lists if isinstance(one, list | tuple))
        if steps > STEPS_MAX:
            fields.fault("modules", f"hold {steps:,} steps; at most {STEPS_MAX:,} are taken: split the course")
        return steps <= STEPS_MAX

    def _module(self, fields: Fields, course: Course, before: Module | None) -> Module:
        listed = fields.items("steps", STEPS_MAX, required=True)
        module = Module(
            id=fields.slug("id"),
            title=fields.text("title"),
            description=fields.optional_text("description", DESCRIPTION_MAX),
            requires=_requires(fields, before),
            pass_mark=_percent(fields, "pass_mark", course.pass_mark),
            complete_by=_complete_by(fields, course.complete_by),
            weight=fields.number("weight", ONE, WEIGHT_MAX, _WEIGHT_PLACES),
            weights=self._weights(fields, course.weights),
            policies=self._policies(fields, course.policies),
            steps=tuple(self._step(raw, join(fields.at("steps"), i)) for i, raw in enumerate(listed)),
            renamed_from=fields.slugs("renamed_from", OLD_NAMES_MAX),
        )
        if module.steps and not any(step.weight and module.weights.of(step.kind) for step in module.steps):
            kinds = ", ".join(dict.fromkeys(step.kind for step in module.steps))
            fields.fault(
                "weights" if fields.has("weights") else "steps",
                f"leave nothing that counts in the module's score: its steps, or the weights of their kinds ({kinds}),"
                " all weigh 0; give one a weight above 0",
            )
        return module

    def _step(self, raw: object, path: str) -> Step:
        fields = Fields(raw, "a step", STEP_FIELDS, path, self.faults)
        kind = fields.one_of("kind", KINDS, "")
        return Step(
            id=fields.slug("id"),
            kind=cast(StepKind, kind),
            title=fields.text("title"),
            topics=_topics(fields),
            pass_mark=_percent(fields, "pass_mark", 700_000),
            weight=fields.number("weight", ONE, WEIGHT_MAX, _WEIGHT_PLACES),
            points=fields.number("points", POINTS[kind], POINTS_MAX, 0),
            prompt=fields.optional_text("prompt", PROMPT_MAX),
            body=fields.optional_text("body", BODY_MAX),
            url=_url(fields),
            grader=self._grader(fields),
            renamed_from=fields.slugs("renamed_from", OLD_NAMES_MAX),
            files=read_files(fields),
            test=read_test(fields),
        )

    def _grader(self, fields: Fields) -> Mapping[str, Any] | None:
        raw, path = fields.get("grader"), fields.at("grader")
        if raw is None:
            return None
        if not isinstance(raw, Mapping):
            self.faults.add(path, "must be an object with a `type`, such as {type: choice, …}")
            return None
        known = len(self.faults.found)
        config = cast(dict[str, Any], copy_json(raw, path, self.faults))
        # Once the faults that can be listed are used up, checking further would only cost time.
        if len(self.faults.found) == known < FAULTS_MAX:
            for inner, message in self.check_grader(config):
                self.faults.add(within(path, inner), message)
        return config

    def _course_weights(self, fields: Fields) -> Weights:
        weights = self._weights(fields, DEFAULT_WEIGHTS)
        if any(weights):
            return weights
        fields.fault("weights", "are all 0, so that nothing would count; give one kind a weight above 0")
        return DEFAULT_WEIGHTS

    def _weights(self, fields: Fields, otherwise: Weights) -> Weights:
        if fields.get("weights") is None:
            return otherwise
        raw = fields.get("weights")
        # Exercises have no weight of their own, and authors will look for one: give them a message that says what to
        # do.
        extra = ("exercise",) if isinstance(raw, Mapping) and "exercise" in raw else ()
        inner = Fields(raw, "weights", (*Weights._fields, *extra), fields.at("weights"), self.faults)
        if extra:
            inner.fault("exercise", "has no weight of its own: exercises count with the assignments; weigh those")
        known = otherwise._asdict()
        return Weights(**{name: inner.number(name, known[name], WEIGHT_MAX, _WEIGHT_PLACES) for name in known})

    def _policies(self, fields: Fields, otherwise: Policies) -> Policies:
        if fields.get("policies") is None:
            return otherwise
        inner = Fields(fields.get("policies"), "policies", Policies._fields, fields.at("policies"), self.faults)
        known = otherwise._asdict()
        return Policies(**{name: cast(Policy, inner.one_of(name, POLICIES, known[name])) for name in known})


def _percent(fields: Fields, name: str, default: int) -> int:
    """A percentage as exact millionths: 79.995 is 799,950."""
    return fields.number(name, default, 100, _PERCENT_PLACES)


def _complete_by(fields: Fields, default: CompleteBy) -> CompleteBy:
    return cast(CompleteBy, fields.one_of("complete_by", COMPLETE_BY, default))


def _requires(fields: Fields, before: Module | None) -> tuple[str, ...]:
    if not fields.has("requires"):
        return (before.id,) if before and before.id else ()
    if fields.get("requires") is None:
        fields.fault("requires", "is null; write [] for none, or leave it out for the module before")
    return fields.slugs("requires", MODULES_MAX)


def _topics(fields: Fields) -> tuple[str, ...]:
    topics = fields.texts("topics", TOPICS_MAX, TOPIC_MAX)
    for topic in topics:
        if topic != topic.strip():
            fields.fault("topics", f"hold {topic!r}, which begins or ends with a space; take the space out")
    return topics


def _url(fields: Fields) -> str | None:
    url = fields.optional_text("url", URL_MAX)
    if url and not _URL.fullmatch(url):
        fields.fault("url", "must be a whole address that begins with https:// or http:// and has no spaces")
    return url


def _locale(fields: Fields) -> str | None:
    locale = fields.optional_text("locale", LOCALE_MAX)
    if locale and not _LOCALE.fullmatch(locale):
        fields.fault("locale", "must be a language tag such as en, pt-BR or zh-Hant")
    return locale
