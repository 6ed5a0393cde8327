"""Settings: whence they come, and what is said of those that mean nothing."""

import subprocess
from pathlib import Path

import pytest

from headway.cli.findings import of_settings
from headway.settings import OidcProvider, Settings, SettingsInvalid, load_settings
from tests.torture.server import HEADWAY, environment

OIDC = {"HEADWAY_OIDC_A_ISSUER": "https://a.example", "HEADWAY_OIDC_A_CLIENT_ID": "x"}
PROVIDERS = """
[oidc.google]
issuer = "https://accounts.example.org"
client_id = "from the file"
client_secret = "hunter2"
[oidc.my-own]
issuer = "http://localhost:8080/realms/x"
client_id = "headway"
title = "Our school"
join_accounts = false
"""


def test_a_flag_goes_before_a_variable_and_a_variable_before_the_file(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('host = "from.file"\nport = 1\nworkers = 1\n')
    variables = {"HEADWAY_CONFIG": str(config), "HEADWAY_PORT": "2", "HEADWAY_WORKERS": "2"}
    settings = load_settings(variables, workers=3, host=None)
    assert (settings.host, settings.port, settings.workers) == ("from.file", 2, 3)


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"HEADWAY_DATABASE": "sqlite:///x.db"}, "did you mean HEADWAY_DATABASE_URL"),
        ({"HEADWAY_NONSENSE_OF_MINE": "1"}, "there is no variable HEADWAY_NONSENSE_OF_MINE"),
        ({"HEADWAY_PORT": "eight"}, "HEADWAY_PORT must be a whole number"),
        ({"HEADWAY_PORT": "99999"}, "HEADWAY_PORT must be from 0 to 65,535"),
        ({"HEADWAY_PORT": "9" * 5_000}, "HEADWAY_PORT must be a whole number"),
        ({"HEADWAY_WORKERS": "0"}, "HEADWAY_WORKERS must be from 1 to 1,000"),
        ({"HEADWAY_LOG_LEVEL": "verbose"}, "HEADWAY_LOG_LEVEL must be one of debug, info, warning, error"),
        ({"HEADWAY_OIDC": "x"}, "there is no variable HEADWAY_OIDC"),
        ({"HEADWAY_OIDC_A_NONSENSE": "x"}, "there is no variable HEADWAY_OIDC_A_NONSENSE"),
        ({"HEADWAY_OIDC__ISSUER": "https://a.example"}, "there is no variable HEADWAY_OIDC__ISSUER"),
        ({"HEADWAY_OIDC_A_ISSUER": "https://a.example"}, "oidc.a needs client_id"),
        ({"HEADWAY_OIDC_A_CLIENT_ID": "x"}, "oidc.a needs issuer"),
        ({"HEADWAY_OIDC_A_ISSUER": "http://a.example", "HEADWAY_OIDC_A_CLIENT_ID": "x"}, "must be an https address"),
        ({"HEADWAY_OIDC_A_ISSUER": "a.example", "HEADWAY_OIDC_A_CLIENT_ID": "x"}, "must be an https address"),
        ({**OIDC, "HEADWAY_OIDC_A_SCOPES": "email"}, "scopes of oidc.a must have openid"),
        ({**OIDC, "HEADWAY_OIDC_A_JOIN_ACCOUNTS": "maybe"}, "join_accounts of oidc.a must be on or off"),
        ({"HEADWAY_HTTPS": "maybe"}, "HEADWAY_HTTPS must be on or off"),
        ({"HEADWAY_TRUSTED_PROXIES": "*"}, "HEADWAY_TRUSTED_PROXIES must be addresses or networks"),
        ({"HEADWAY_TRUSTED_PROXIES": "proxy.example.org"}, "must be addresses or networks"),
        ({"HEADWAY_SMTP_URL": "mail.example.org"}, "HEADWAY_SMTP_URL must be smtp://USER:PASSWORD@HOST:587"),
        ({"HEADWAY_SMTP_URL": "smtp://mail.example.org"}, "set mail_from as well"),
        ({"HEADWAY_MAIL_FROM": "nobody"}, "HEADWAY_MAIL_FROM must be an address"),
        ({"HEADWAY_PUBLIC_URL": "learn.example.org"}, "HEADWAY_PUBLIC_URL must be an address such as https"),
        ({"HEADWAY_GUEST_DAYS": "0"}, "HEADWAY_GUEST_DAYS must be from 1 to 36,500"),
        ({"HEADWAY_CONFIG": "no-such-folder/config.toml"}, "cannot be read"),
    ],
)
def test_a_variable_that_means_nothing_is_refused(variables: dict[str, str], said: str) -> None:
    with pytest.raises(SettingsInvalid, match=said):
        load_settings(variables)


def test_a_refused_address_is_not_repeated_for_it_may_hold_a_password() -> None:
    with pytest.raises(SettingsInvalid) as refusal:
        load_settings({"HEADWAY_SMTP_URL": "smtp://me:hunter2secret@host:none"})
    assert "hunter2secret" not in str(refusal.value)


@pytest.mark.parametrize(
    "line",
    [
        'databse_url = "sqlite:///x.db"',
        "port = true",
        "port = 65_536",
        "workers = 0",
        'log_level = "loud"',
        "host = 1",
        "port =",
        'oidc = "google"',
        "oidc.google = 7",
        '[oidc."Not An Id"]',
        '[oidc.google]\nissuer = "https://a.example"\nclient_id = 7',
        '[oidc.google]\nissuer = "https://a.example"\nclient_id = "x"\nsecret = "x"',
    ],
)
def test_a_line_of_the_file_that_means_nothing_is_refused(tmp_path: Path, line: str) -> None:
    config = tmp_path / "config.toml"
    config.write_text(line)
    with pytest.raises(SettingsInvalid):
        load_settings({"HEADWAY_CONFIG": str(config)})


def test_providers_come_from_tables_and_over_them_from_variables(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(PROVIDERS)
    changed = {"HEADWAY_OIDC_GOOGLE_CLIENT_ID": "from the variable", "HEADWAY_OIDC_GOOGLE_TITLE": ""}
    settings = load_settings({"HEADWAY_CONFIG": str(config), **changed, **OIDC})
    assert list(settings.oidc) == ["a", "google", "my-own"]
    google, own = settings.oidc["google"], settings.oidc["my-own"]
    assert (google.client_id, google.client_secret, google.title) == ("from the variable", "hunter2", "Google")
    assert (own.client_secret, own.title, own.join_accounts) == (None, "Our school", False)
    assert "hunter2" not in repr(settings)
    shown = [one for one in of_settings(settings) if one.name == "sign-in by others"]
    assert "google (https://accounts.example.org)" in shown[0].value
    assert "hunter2" not in repr(list(of_settings(settings)))


def test_what_is_said_of_a_provider_that_cannot_be_used_tells_no_secret(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    for line in ('issuer = "hunter2"\nclient_id = "x"\nclient_secret = "hunter2"', 'client_secret = ["hunter2"]'):
        config.write_text(f"[oidc.a]\n{line}")
        with pytest.raises(SettingsInvalid) as refused:
            load_settings({"HEADWAY_CONFIG": str(config)})
        assert "hunter2" not in str(refused.value)


def test_a_process_of_the_server_reads_the_same_settings_from_its_variables() -> None:
    provider = OidcProvider(
        issuer="https://a.example", client_id="x", client_secret="y", title="A", join_accounts=False
    )
    oidc = {"my-own": provider}
    settings = Settings(database_url="sqlite:///x.db", https=True, rate_limits=False, port=9, oidc=oidc)
    assert load_settings(settings.environment()) == settings


def test_without_a_word_the_database_lies_in_the_users_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert load_settings({}).database_url == f"sqlite:///{tmp_path}/headway/headway.db"


def test_the_users_own_file_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "headway").mkdir()
    (tmp_path / "headway" / "config.toml").write_text("port = 7")
    assert load_settings({}).port == 7


def test_commands_make_the_users_folder_and_take_the_database_of_the_variable(tmp_path: Path) -> None:
    variables = environment() | {"XDG_DATA_HOME": str(tmp_path / "data"), "XDG_CONFIG_HOME": str(tmp_path)}
    subprocess.run([HEADWAY, "migrate"], env=variables, capture_output=True, check=True)
    assert (tmp_path / "data" / "headway" / "headway.db").exists()
    variables["HEADWAY_DATABASE_URL"] = f"sqlite:///{tmp_path}/other.db"
    subprocess.run([HEADWAY, "migrate"], env=variables, capture_output=True, check=True)
    assert (tmp_path / "other.db").exists()


@pytest.mark.parametrize(
    "address",
    [
        "localhost",
        "http://h",
        "redis://:hunter2@",
        "redis://:hunter2@h:99999",
        "redis://h/one",
        "redis://h/0?timeout=60",
    ],
)
def test_an_address_of_redis_that_cannot_be_used_is_refused(address: str) -> None:
    for variables, flag in (({"HEADWAY_REDIS_URL": address}, None), ({}, address)):
        with pytest.raises(SettingsInvalid, match=r"must be redis://:PASSWORD@HOST:PORT/NUMBER") as refused:
            load_settings(variables, redis_url=flag)
        assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("address", ["redis://localhost", "redis://:a%20b@h:6380/3", "rediss://me:pass@h.example/"])
def test_an_address_of_redis_is_taken(address: str) -> None:
    assert load_settings({"HEADWAY_REDIS_URL": address}).redis_url == address
