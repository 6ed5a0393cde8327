"""Predictions: the pace of the last four weeks, its best and its worst week, and what cannot be said."""

import pytest

from headway.domain.predictions import AHEAD_MAX, TOO_FAR, TOO_LITTLE, Forecast, forecast

TODAY = 800_000
OLD = {TODAY - 100: 1}


@pytest.mark.parametrize(
    ("remaining", "done", "told"),
    [
        # One a day for four weeks: every pace is the same.
        (10, {TODAY - n: 1 for n in range(28)}, Forecast(10, 10, 10)),
        # 28 in 28 days, 14 of them in the best week, none in the worst: half the mean then.
        (14, OLD | {TODAY: 14, TODAY - 7: 7, TODAY - 14: 7}, Forecast(14, 7, 28)),
        # Worst week of 4 where the mean is 7 a week: more than half of it.
        (8, OLD | {TODAY: 10, TODAY - 7: 7, TODAY - 14: 7, TODAY - 21: 4}, Forecast(8, 6, 14)),
        # Who began four days ago: what was done in a week.
        (7, {TODAY: 3, TODAY - 1: 3, TODAY - 3: 1}, Forecast(7, 7, 7)),
        # Who began ten days ago: ten days, and one whole week.
        (10, {TODAY: 7, TODAY - 1: 1, TODAY - 9: 2}, Forecast(10, 9, 10)),
        (0, {TODAY - n: 1 for n in range(28)}, Forecast(0, 0, 0)),
        (-5, {TODAY - n: 1 for n in range(28)}, Forecast(0, 0, 0)),
        (1, {}, TOO_LITTLE),
        (1, {TODAY: 5, TODAY - 1: 5}, TOO_LITTLE),
        (1, {TODAY: 5, TODAY - 1: 5, TODAY - 2: 0}, TOO_LITTLE),
        # The days of before, and those to come, are no recent ones.
        (1, {TODAY: 5, TODAY - 1: 5, TODAY - 28: 5, TODAY + 1: 5}, TOO_LITTLE),
        (AHEAD_MAX, {TODAY - n: 1 for n in range(28)}, Forecast(AHEAD_MAX, AHEAD_MAX, AHEAD_MAX)),
        (AHEAD_MAX + 1, {TODAY - n: 1 for n in range(28)}, TOO_FAR),
    ],
)
def test_a_forecast_goes_by_the_last_four_weeks(remaining: int, done: dict[int, int], told: Forecast | str) -> None:
    found = forecast(remaining, done, TODAY)
    assert (found if isinstance(found, str) else Forecast(*(day - TODAY for day in found))) == told
