"""The lock: every package hashed, no address, nothing of pyproject.toml left out."""

import re
import tomllib
from typing import Any

from tests.house.tree import ROOT

ADDRESS = re.compile(r"://|--(?:index|extra-index|find-links)|\b[\w-]+\.(?:org|com|net|io|dev)\b")
PINNED = re.compile(r"^(?P<name>[\w.-]+)==(?P<version>\S+)(?P<rest>(?:.*\\\n)+.*)$", re.MULTILINE)
NAME = re.compile(r"^[\w.-]+")


def lock_text() -> str:
    return (ROOT / "requirements.lock").read_text(encoding="utf-8")


def normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def locked(text: str) -> dict[str, bool]:
    """Each locked package, and whether it has a hash."""
    return {normalized(found["name"]): "--hash=sha256:" in found["rest"] for found in PINNED.finditer(text)}


def wanted(project: dict[str, Any]) -> set[str]:
    """The packages that pyproject.toml names: to run, to develop and to build."""
    groups = [*project["dependency-groups"].values(), *project["project"].get("optional-dependencies", {}).values()]
    lists = [project["project"]["dependencies"], project["build-system"]["requires"], *groups]
    return {normalized(found.group()) for names in lists for name in names if (found := NAME.match(name))}


def test_the_lock_names_no_address() -> None:
    assert not ADDRESS.findall(lock_text())


def test_every_locked_package_has_a_hash() -> None:
    packages = locked(lock_text())
    assert len(packages) == len(re.findall(r"^\w", lock_text(), re.MULTILINE))
    assert [name for name, hashed in packages.items() if not hashed] == []


def test_what_pyproject_names_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert wanted(project) - locked(lock_text()).keys() == set()


def test_a_package_without_a_hash_is_found() -> None:
    assert locked("a==1 \\\n    --hash=sha256:0\nb==2 \\\n    # via a\n") == {"a": True, "b": False}


def test_an_address_is_found() -> None:
    assert ADDRESS.search("--index-url https://mirror.example.com/simple")
