"""The page of the settings is true of the code: every setting, its variable and its default."""

import re
from dataclasses import MISSING, fields

from headway.settings import PREFIX, Settings
from tests.house.tree import ROOT

ROW = re.compile(r"^\| `(\w+)` \| `(\w+)` \| (.+?) \| .+ \|$", re.MULTILINE)
PAGE = (ROOT / "docs" / "reference" / "settings.md").read_text(encoding="utf-8")


def told(default: object) -> str:
    if default is None:
        return "none"
    return f"`{('off', 'on')[default] if isinstance(default, bool) else default}`"


def test_the_page_lists_every_setting_with_its_variable_and_its_default() -> None:
    listed = {key: (variable, default) for key, variable, default in ROW.findall(PAGE)}
    there = {one.name: (PREFIX + one.name.upper(), one.default) for one in fields(Settings)}
    assert listed.keys() == there.keys()
    for key, (variable, default) in there.items():
        if default is not MISSING:
            assert listed[key] == (variable, told(default)), key


def test_no_setting_that_may_hold_a_password_is_shown() -> None:
    secret = "hunter2secret"
    settings = Settings(
        database_url=f"postgresql://me:{secret}@db/x",
        redis_url=f"redis://:{secret}@redis",
        smtp_url=f"smtp://me:{secret}@mail",
    )
    assert secret not in repr(settings)
    assert {one.name for one in fields(Settings) if one.name.endswith("_url") and one.repr} == {"public_url"}
