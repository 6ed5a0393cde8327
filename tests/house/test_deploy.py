"""The files for deploying name what is there, in the words that engines know: this reads them, and builds nothing."""

import configparser
import re
import shlex
from pathlib import Path
from typing import Any

import yaml

from headway.settings import load_settings
from tests.house.tree import ROOT, text_of

CONTAINERFILE = text_of(Path("deploy/Containerfile"))
COMPOSE: dict[str, Any] = yaml.safe_load(text_of(Path("deploy/compose.yaml")))
COPIED = re.compile(r"^COPY (?!--from)(.+) \S+$", re.MULTILINE)
ASKED_WITH_WORDS = re.compile(r"\$\{\w+:\?[^}]+\}")
ASKED = re.compile(r"\$\{(\w+):\?[^}]*\}")


def settings_of(variables: dict[str, str]) -> Any:
    """The settings that a container has; what `.env` is asked for is given."""
    given = {name: ASKED.sub("0123456789abcdef0123456789abcdef", str(value)) for name, value in variables.items()}
    if "PUBLIC_URL" in str(variables):
        given["HEADWAY_PUBLIC_URL"] = "https://learn.example.org"
    return load_settings({name: value for name, value in given.items() if name.startswith("HEADWAY_")})


def instructions() -> list[tuple[str, str]]:
    """The Containerfile's instructions, its lines joined."""
    lines = re.sub(r"\\\n\s*", "", re.sub(r"^#.*\n", "", CONTAINERFILE, flags=re.MULTILINE)).splitlines()
    return [(line.partition(" ")[0], line.partition(" ")[2]) for line in lines if line.strip()]


def test_the_containerfile_copies_what_is_there_and_all_that_a_build_reads() -> None:
    copied = {name.rstrip("/") for found in COPIED.findall(CONTAINERFILE) for name in found.split()}
    assert not [name for name in copied if not (ROOT / name).exists()]
    assert copied >= {"pyproject.toml", "hatch_build.py", "requirements.lock", "src", "web", "LICENSE"}
    assert {name for name, _ in instructions()} <= {
        *("FROM", "WORKDIR", "COPY", "RUN", "ENV", "USER", "VOLUME", "EXPOSE", "STOPSIGNAL", "HEALTHCHECK", "CMD")
    }
    for kind, text in instructions():
        if kind == "RUN":
            shlex.split(text)
    assert [text for kind, text in instructions() if kind in ("USER", "CMD")] == ["headway", '["headway", "serve"]']


def test_a_file_of_settings_means_the_same_to_systemd_and_to_a_shell() -> None:
    """Only a shell takes what follows a value for a comment."""
    blocks = re.findall(r"```sh\n(.*?)```", text_of(Path("docs/howto/production.md")), re.DOTALL)
    (found,) = (one for one in blocks if "HEADWAY_SIGNING_SECRET" in one)
    lines = [line for line in found.splitlines() if not line.startswith("#")]
    assert [shlex.split(line, comments=True) for line in lines] == [[line] for line in lines]


def test_the_containerfile_s_settings_are_settings() -> None:
    (found,) = (text for kind, text in instructions() if kind == "ENV")
    settings = settings_of(dict(one.partition("=")[::2] for one in shlex.split(found)))
    assert (settings.host, settings.port, settings.database_url) == ("0.0.0.0", 8000, "sqlite:////data/headway.db")


def test_compose_names_settings_and_services_that_are_there() -> None:
    headway, services = COMPOSE["services"]["headway"], COMPOSE["services"]
    settings = settings_of(headway["environment"])
    assert (settings.workers, settings.https) == (2, True)
    assert settings.database_url.startswith("postgresql://headway:0123")
    assert f"@{'postgres'}/" in settings.database_url
    assert settings.redis_url == "redis://redis:6379/0"
    assert headway["depends_on"].keys() == services.keys() - {"headway"}
    assert all("healthcheck" in services[name] for name in headway["depends_on"])
    volumes = {one.partition(":")[0] for service in services.values() for one in service.get("volumes", [])}
    assert volumes == COMPOSE["volumes"].keys()
    assert (ROOT / "deploy" / headway["build"]["context"] / headway["build"]["dockerfile"]).resolve().is_file()
    assert all(one.startswith("127.0.0.1:") for one in headway["ports"])
    connections = int(re.findall(r"max_connections=(\d+)", services["postgres"]["command"])[0])
    assert connections >= settings.workers * 64


def test_compose_is_written_as_podman_compose_reads_it_too() -> None:
    """It leaves `${NAME:?}` without words as it stands, and breaks a health check whose words it must quote."""
    given = [
        str(value) for service in COMPOSE["services"].values() for value in service.get("environment", {}).values()
    ]
    assert not [value for value in given if "${" in ASKED_WITH_WORDS.sub("", value)]
    checks = [service["healthcheck"]["test"] for service in COMPOSE["services"].values()]
    assert not [check for check in checks if isinstance(check, list) and any(set(" '\"") & set(word) for word in check)]


def test_the_unit_starts_the_server_and_waits_for_its_end() -> None:
    unit = configparser.ConfigParser(strict=True, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]  # as its documentation has it
    unit.read_string(text_of(Path("deploy/headway.service")))
    assert unit.sections() == ["Unit", "Service", "Install"]
    service = unit["Service"]
    assert service["ExecStart"].split()[1:] == ["serve"]
    assert (service["KillSignal"], service["Type"]) == ("SIGTERM", "exec")
    assert int(service["TimeoutStopSec"]) > 20
