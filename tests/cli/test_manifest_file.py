"""Manifests that are no courses: what is made to hang or crash whoever reads it is refused in a line."""

from pathlib import Path

import pytest

from headway.cli.manifest_file import BYTES_MAX, DEPTH_MAX, ManifestUnreadable, read_manifest


def written(folder: Path, text: str) -> str:
    path = folder / "course.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def laughs(levels: int) -> str:
    lists = [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, levels)]
    return "\n".join(["a0: &a0 [x, x, x, x, x, x, x, x, x, x]", *lists])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (laughs(9), "with its aliases written out"),
        (f"title: &t {'y' * 100_000}\nmodules: [{', '.join(['*t'] * (BYTES_MAX // 100_000))}]", "aliases written out"),
        ("modules: &a [*a]", "aliases written out"),
        ("modules: " + "[" * 200_000, "nested too deeply"),
        ('{"modules": ' + "[" * 2_000 + "]" * 2_000 + "}", "nested too deeply"),
        ("modules: " + "[" * DEPTH_MAX + "]" * DEPTH_MAX, "nested too deeply"),
    ],
    ids=[
        "a billion laughs",
        "one long text again and again",
        "a list in itself",
        "unclosed",
        "closed",
        "just too deep",
    ],
)
def test_what_would_take_forever_or_crash_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ManifestUnreadable, match=said):
        read_manifest(written(tmp_path, text))


def test_aliases_may_be_used_and_lead_to_the_line_of_what_they_repeat(tmp_path: Path) -> None:
    manifest = read_manifest(written(tmp_path, "one: &a\n  - x\n  - {y: 1}\ntwo: *a\n"))
    assert manifest.content == {"one": ["x", {"y": 1}], "two": ["x", {"y": 1}]}
    assert manifest.line_of("one[1].y") == 3
    assert manifest.line_of("two[1].y") == 4
    assert manifest.line_of("two") == 4


def test_as_deep_as_a_course_may_be_is_read(tmp_path: Path) -> None:
    depth = DEPTH_MAX - 2
    assert read_manifest(written(tmp_path, "modules: " + "[" * depth + "]" * depth)).content["modules"] is not None
