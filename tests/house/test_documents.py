"""The documents: their links resolve, their commands exist, the changelog is kept."""

import re
from pathlib import Path

import pytest

from headway.store.schema import metadata
from tests.house.tree import ROOT, project_files, text_of

FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(\s*<?([^)\s>]+)")
HEADING = re.compile(r"^#+\s+(.*?)\s*$", re.MULTILINE)
MAKE = re.compile(r"(?:^|[`$]\s*|&&\s*|;\s*)make((?:[ ]+[\w=./-]+)+)", re.MULTILINE)
TARGET = re.compile(r"^([a-z][\w-]*):", re.MULTILINE)


def documents() -> list[Path]:
    return [path for path in project_files() if path.suffix == ".md"]


def anchors(text: str) -> set[str]:
    """The anchors that a document's headings give, the way that code hosts make them."""
    titles = HEADING.findall(FENCE.sub("", text))
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def dead_links(path: Path, text: str) -> list[str]:
    """The links of a document to files or headings of this project that are not there."""
    dead = []
    for link in LINK.findall(FENCE.sub("", text)):
        file, _, anchor = link.partition("#")
        target = (ROOT / path.parent / file).resolve() if file else ROOT / path
        if ":" in file:
            continue
        if not target.exists() or (anchor and target.suffix == ".md" and anchor not in anchors(target.read_text())):
            dead.append(link)
    return dead


def make_targets(text: str) -> set[str]:
    """The targets that a document's `make` commands name."""
    words = (word for command in MAKE.findall(text) for word in command.split())
    return {word for word in words if "=" not in word and not word.startswith("-")}


def test_links_resolve() -> None:
    found = {str(path): dead_links(path, text_of(path)) for path in documents()}
    assert not {path: links for path, links in found.items() if links}


def test_the_documents_name_targets_that_the_makefile_has() -> None:
    targets = set(TARGET.findall(text_of(Path("Makefile"))))
    found = {str(path): make_targets(text_of(path)) - targets for path in documents()}
    assert not {path: names for path, names in found.items() if names}


def test_ci_runs_the_test_command_of_the_readme() -> None:
    assert "test" in make_targets(text_of(Path("README.md")))
    assert make_targets(text_of(Path(".ci/run")).replace("exec ", "")) == {"test"}
    assert (ROOT / ".ci/run").stat().st_mode & 0o111


def test_the_architecture_names_every_table() -> None:
    tables = text_of(Path("ARCHITECTURE.md")).partition("\n## Tables\n")[2]
    assert metadata.tables
    assert [name for name in metadata.tables if f"`{name}`" not in tables] == []


def test_the_changelog_has_a_place_for_what_is_unreleased() -> None:
    assert re.search(r"^## \[?Unreleased\]?", text_of(Path("CHANGELOG.md")), re.MULTILINE)


@pytest.mark.parametrize("link", ["nowhere.md", "README.md#no-such-heading", "#no-such-heading", "docs/../nowhere/"])
def test_a_dead_link_is_found(link: str) -> None:
    assert dead_links(Path("CONTRIBUTING.md"), f"See [this]({link}).") == [link]


@pytest.mark.parametrize("link", ["https://example.org/x", "Makefile", "mailto:a@example.org", "LICENSE#x"])
def test_a_live_link_passes(link: str) -> None:
    assert not dead_links(Path("CONTRIBUTING.md"), f"See [this]({link}).\n```\n[not](a-link)\n```\n")


def test_commands_are_read_from_text_and_code() -> None:
    text = "Run `make instal` and\n```\nmake test WORKERS=4\n$ make -s nothing\n```\nwhich will make sense."
    assert make_targets(text) == {"instal", "test", "nothing"}
