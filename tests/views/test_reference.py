"""The reference page names every field that a read gives, and its example is one that was read."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct
from msgspec import json as msgspec_json
from msgspec.structs import fields

from headway.http.outlook import Predictions
from headway.http.progress import RunList, SkillLevels
from headway.http.resetting import ResetReply
from headway.views.course_progress import (
    CourseProgress,
    KindShare,
    MissingStep,
    ModuleProgress,
    StepStanding,
    ToGo,
)
from headway.views.events import RecordedEvent
from headway.views.history import Figures, History, HistoryDay
from headway.views.overview import AchievementCount, CourseSummary, Overview
from headway.views.sessions import PracticeSession
from headway.views.skills import NextLevel, SkillLevel
from headway.views.statistics import Between, Statistics, TopicStatistics, TrendDay
from headway.views.streak import MilestoneShown, PauseShown, StreakProgress, StreakSummary

SHAPES = (
    Overview,
    CourseSummary,
    AchievementCount,
    StreakSummary,
    CourseProgress,
    ModuleProgress,
    KindShare,
    MissingStep,
    StepStanding,
    ToGo,
    StreakProgress,
    PauseShown,
    MilestoneShown,
    HistoryDay,
    Figures,
    Statistics,
    Between,
    TopicStatistics,
    TrendDay,
    PracticeSession,
    SkillLevel,
    NextLevel,
    RecordedEvent,
)


@pytest.fixture(scope="module")
def page() -> str:
    return (Path(__file__).parents[2] / "docs" / "reference" / "progress.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("shape", SHAPES)
def test_every_field_is_named(page: str, shape: type[Struct]) -> None:
    assert [one.encode_name for one in fields(shape) if not re.search(rf'[`"]{one.encode_name}[`"]', page)] == []


def test_the_examples_have_the_whole_shape(page: str) -> None:
    found = [json.loads(one) for one in re.findall(r"```json\n(.*?)```", page, re.DOTALL)]
    shapes = (CourseProgress, RunList, StreakProgress, ResetReply, History, Statistics, SkillLevels, Predictions)
    for example, shape in zip(found, shapes, strict=True):
        read: Any = msgspec_json.decode(json.dumps(example), type=shape, strict=True)
        assert json.loads(msgspec_json.encode(read)) == example
