"""The files of an exercise that are written to a learner's own machine, and the command that tests them there.

A path must stay within the exercise's folder on every system, and must not be a file that a shell, an editor or git
acts on by itself, such as one whose name begins with a dot.
"""

import re
from collections.abc import Mapping
from typing import Any, Final, Literal, NamedTuple, TypeAlias, cast

from headway.domain.faults import Faults, join, show
from headway.domain.fields import Fields, kind_of, text_fault

Format: TypeAlias = Literal["exit", "junit", "tap"]

FORMATS: Final = ("exit", "junit", "tap")
FILES_MAX: Final = 100
FILE_MAX: Final = 100_000
FILES_SIZE_MAX: Final = 500_000
PATH_MAX: Final = 200
DEPTH_MAX: Final = 8
WORDS_MAX: Final = 50
WORD_MAX: Final = 1_000
TIMEOUT_S: Final = 300
TIMEOUT_S_MAX: Final = 3_600
TEST_FIELDS: Final = ("command", "report", "format", "timeout_s")
_PART: Final = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.+-]*[A-Za-z0-9_+-])?", re.ASCII)
# Names that Windows takes for a device, whatever extension follows.
_DEVICE: Final = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.ASCII | re.IGNORECASE)


class StepTest(NamedTuple):
    """How an exercise is tested: the command as words (no shell), the report file, its format, and the timeout."""

    command: tuple[str, ...]
    report: str | None = None
    format: Format = "exit"
    timeout_s: int = TIMEOUT_S

    def told(self) -> dict[str, Any]:
        """The test as an author writes it in the manifest."""
        return {**self._asdict(), "command": list(self.command)}


def path_fault(path: object) -> str:
    """What is wrong with the path of an exercise's file, with the fix; empty if nothing is."""
    if not isinstance(path, str):
        return "has a name that is no text; write it in quotes"
    parts = path.split("/")
    if len(path) > PATH_MAX or len(parts) > DEPTH_MAX:
        return f"has a path with more than {PATH_MAX} characters or {DEPTH_MAX} parts; take a shorter one"
    if not all(_PART.fullmatch(part) and not _DEVICE.fullmatch(part) for part in parts):
        return (
            f"has the path {show(path)}; it must be one such as src/main.py: letters, digits, _ . + and - alone, no"
            " part that begins or ends with a dot, and no name of a device"
        )
    return ""


def read_files(fields: Fields) -> Mapping[str, str]:
    """The files of a step, text by path; faults go into `fields.faults`."""
    raw = fields.get("files")
    if raw is None:
        return {}
    if not isinstance(raw, Mapping):
        fields.fault("files", f"must be an object of paths and texts, such as {{main.py: …}}, not {kind_of(raw)}")
        return {}
    if len(raw) > FILES_MAX:
        fields.fault("files", f"holds {len(raw):,}; at most {FILES_MAX} are taken")
        return {}
    path = fields.at("files")
    kept = {name: text for name, text in raw.items() if _is_file(path, name, text, fields.faults)}
    _check_together(kept, path, fields.faults)
    return kept


def _is_file(path: str, name: object, text: object, faults: Faults) -> bool:
    message = path_fault(name)
    if message:
        faults.add(path, message)
        return False
    # An empty file is one, as many an __init__.py is.
    message = "" if isinstance(text, str) and not text.strip() and "\0" not in text else text_fault(text, FILE_MAX)
    if message:
        faults.add(join(path, str(name)), message)
    return not message


def _check_together(files: Mapping[str, str], path: str, faults: Faults) -> None:
    if sum(map(len, files.values())) > FILES_SIZE_MAX:
        faults.add(path, f"hold more than {FILES_SIZE_MAX:,} characters together; leave out what is not needed")
    seen: dict[str, str] = {}
    for name in files:
        if name.lower() in seen:
            faults.add(
                path, f"has {show(seen[name.lower()])} and {show(name)}, one file on many systems; leave one out"
            )
        seen[name.lower()] = name
    for name in files:
        parts = name.lower().split("/")
        if any("/".join(parts[:count]) in seen for count in range(1, len(parts))):
            faults.add(path, f"has {show(name)} within what is a file; give one of them another name")


def read_test(fields: Fields) -> StepTest | None:
    """How a step is tested; None where the manifest does not say; faults go into `fields.faults`."""
    raw = fields.get("test")
    if raw is None:
        return None
    inner = Fields(raw, "a test", TEST_FIELDS, fields.at("test"), fields.faults)
    command = inner.items("command", WORDS_MAX, required=True)
    words = tuple(inner.checked_text(word, join(inner.at("command"), i), WORD_MAX) for i, word in enumerate(command))
    report = inner.optional_text("report", PATH_MAX)
    if report and path_fault(report):
        inner.fault("report", path_fault(report))
    form = cast(Format, inner.one_of("format", FORMATS, "junit" if report else "exit"))
    if form == "junit" and not report:
        inner.fault("report", "is missing; write the name of the file in which the command reports")
    timeout_s = inner.number("timeout_s", TIMEOUT_S, TIMEOUT_S_MAX, 0)
    if timeout_s == 0:
        inner.fault("timeout_s", "must be at least 1")
    return StepTest(words, report, form, timeout_s)
