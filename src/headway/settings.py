"""Settings: flags first, then HEADWAY_* variables, then a TOML file, then defaults."""

import os
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from headway.domain.errors import HeadwayError, Invalid
from headway.domain.times import zone

PREFIX: Final = "HEADWAY_"
CONFIG_VARIABLE: Final = "HEADWAY_CONFIG"
# Variables of the learner's commands: an operator may have them set as well.
_OF_LEARNERS: Final = ("HEADWAY_URL", "HEADWAY_TOKEN", "HEADWAY_STATE_FOLDER")
_YES, _NO = ("on", "true", "yes", "1"), ("off", "false", "no", "0")
# The command line checks flags itself. Unchecked, a port of 65,536 or more would silently become another port.
_BOUNDS: Final = {
    "port": (0, 65_535),
    "workers": (1, 1_000),
    "guest_days": (1, 36_500),
    "security_days": (1, 36_500),
    "notice_days": (1, 36_500),
    "delivery_days": (1, 3_650),
    "streams_max": (0, 100_000),
    "freeze_days": (1, 365),
    "freezes_max": (0, 30),
}
_DIGITS_MAX: Final = 9
_SECRET_MIN: Final = 16
_NAME_MAX: Final = 200
_PROVIDER_ID: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_OF_PROVIDER: Final = re.compile(
    r"HEADWAY_OIDC_([A-Z0-9]+(?:_[A-Z0-9]+)*?)_(ISSUER|CLIENT_ID|CLIENT_SECRET|TITLE|SCOPES|JOIN_ACCOUNTS)"
)
LOG_LEVELS: Final = ("debug", "info", "warning", "error")


class SettingsInvalid(HeadwayError):
    """A setting cannot be used."""

    code = "invalid-settings"


@dataclass(frozen=True, slots=True, kw_only=True)
class OidcProvider:
    """A provider by which learners may sign in with OpenID Connect; without a secret, it relies on PKCE alone."""

    issuer: str
    client_id: str
    client_secret: str | None = field(default=None, repr=False)
    title: str
    scopes: str = "openid email profile"
    # Whether it may sign in to an account that another provider made for the same, verified address.
    join_accounts: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """An operator's settings; a field's name is its key in the TOML file and, in capitals, its variable."""

    # Addresses hold passwords: no error, and no log of one, shows them.
    database_url: str = field(repr=False)
    redis_url: str | None = field(default=None, repr=False)
    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    # Whether learners reach the server over HTTPS: cookies are then Secure and carry the __Host- prefix.
    https: bool = False
    # The proxies whose word on a client's address and scheme is trusted: addresses and networks, separated by commas.
    trusted_proxies: str | None = None
    # Where learners reach the server, for links in mails.
    public_url: str | None = None
    # Providers by id: a table for each in the file, such as [oidc.google], or variables such as
    # HEADWAY_OIDC_GOOGLE_ISSUER.
    oidc: Mapping[str, OidcProvider] = field(default_factory=dict)
    rate_limits: bool = True
    smtp_url: str | None = field(default=None, repr=False)
    mail_from: str | None = None
    # The site's name in certificates, by default the host of its address; a folder of more fonts for their PDFs.
    issuer_name: str | None = None
    font_folder: str | None = None
    # The secret that seals the private signing keys in the database.
    signing_secret: str | None = field(default=None, repr=False)
    # The bearer token by which /metrics can be read from another machine.
    metrics_token: str | None = field(default=None, repr=False)
    # Whether requests are traced by OpenTelemetry; its own OTEL_* variables say where traces go.
    tracing: bool = False
    # Whether the achievements that come with Headway can be earned, beside those that the site defines.
    shipped_achievements: bool = True
    # The time zone in which the days, weeks and months of leaderboards begin.
    site_time_zone: str = "UTC"
    # How many days a guest without activity is kept, and a security event.
    guest_days: int = 365
    security_days: int = 365
    # How many days a notification is kept.
    notice_days: int = 90
    # How many streams a process keeps open at most.
    streams_max: int = 1_000
    # Private networks that webhooks may be sent to, by plain HTTP as well; how many days deliveries are listed.
    webhook_networks: str | None = None
    delivery_days: int = 30
    # How many days kept earn a streak a freeze, and how many freezes can be held.
    freeze_days: int = 7
    freezes_max: int = 2
    # The folder where `headway archive` keeps what learners sent long ago; by default beside a SQLite database.
    archive_folder: str | None = None
    # Whether all learners are invented (`headway demo` sets it), so that the app may offer to look around as one.
    demo: bool = False
    log_level: str = "info"

    def environment(self) -> dict[str, str]:
        """The HEADWAY_* variables that give another process of the server the same settings."""
        values = {one.name: getattr(self, one.name) for one in fields(self) if one.name != "oidc"}
        for name, provider in self.oidc.items():
            prefix = f"oidc_{name.replace('-', '_')}_"
            values |= {prefix + one.name: getattr(provider, one.name) for one in fields(provider)}
        return {PREFIX + name.upper(): _text(value) for name, value in values.items() if value is not None}


def load_settings(environment: Mapping[str, str] = os.environ, **flags: object) -> Settings:
    """The settings in force; a flag that is None was not given. SettingsInvalid names the setting and its source."""
    chosen: dict[str, object] = {}
    _check_variables(environment)
    path = config_path(environment)
    if path is not None:
        chosen |= _from_file(path)
    chosen["oidc"] = read_providers(chosen.get("oidc", {}), environment)
    for one in fields(Settings):
        name = PREFIX + one.name.upper()
        if environment.get(name):
            chosen[one.name] = _bounded(one.name, _read(one.type, environment[name], name), name)
    chosen |= {name: value for name, value in flags.items() if value is not None}
    if flags.get("redis_url") is not None:
        _bounded("redis_url", flags["redis_url"], "--redis")
    chosen.setdefault("database_url", f"sqlite:///{data_folder() / 'headway.db'}")
    if chosen.get("smtp_url") and not chosen.get("mail_from"):
        raise SettingsInvalid("who sends mail by smtp_url must say from which address: set mail_from as well")
    return Settings(**chosen)  # type: ignore[arg-type]  # each was read as its field's type


def data_folder() -> Path:
    """The user's own folder for Headway's data; it need not be there yet."""
    import platformdirs  # noqa: PLC0415  # only where no database is named

    return Path(platformdirs.user_data_dir("headway", appauthor=False))


def config_path(environment: Mapping[str, str] = os.environ) -> Path | None:
    """The TOML file in force, if any: the one that HEADWAY_CONFIG names, or the user's own."""
    named = environment.get(CONFIG_VARIABLE)
    if named:
        return Path(named)
    import platformdirs  # noqa: PLC0415  # only where no file is named

    usual = Path(platformdirs.user_config_dir("headway", appauthor=False)) / "config.toml"
    return usual if usual.is_file() else None


def _check_variables(environment: Mapping[str, str]) -> None:
    """Refuse unknown HEADWAY_* variables: a misspelled one would silently leave the default in force."""
    known = {
        CONFIG_VARIABLE,
        *_OF_LEARNERS,
        *(PREFIX + one.name.upper() for one in fields(Settings) if one.name != "oidc"),
    }
    for name in environment:
        if name.startswith(PREFIX) and name not in known and not _OF_PROVIDER.fullmatch(name):
            near = get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(sorted(known))}"
            raise SettingsInvalid(f"there is no variable {name}; {hint}")


def _from_file(path: Path) -> dict[str, object]:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsInvalid(f"the settings in {path} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise SettingsInvalid(f"the settings in {path} are no TOML: {error}") from None
    kinds = {one.name: one.type for one in fields(Settings)}
    for name in content:
        if name not in kinds:
            near = get_close_matches(name, kinds, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(kinds)}"
            raise SettingsInvalid(f"{path}: there is no setting {name!r}; {hint}", field=name)
    providers = {"oidc": content.pop("oidc")} if "oidc" in content else {}
    return providers | {
        name: _bounded(name, _read(kinds[name], value, f"{name} in {path}"), f"{name} in {path}")
        for name, value in content.items()
    }


def read_providers(tables: object, environment: Mapping[str, str]) -> dict[str, OidcProvider]:
    """The providers of OpenID Connect from the file's tables, overridden by variables."""
    found: dict[str, dict[str, object]] = {}
    for name, table in (tables if isinstance(tables, Mapping) else {"": tables}).items():
        if not isinstance(table, Mapping) or not _PROVIDER_ID.fullmatch(name):
            raise SettingsInvalid(
                "oidc must be tables such as [oidc.google], named in small letters, digits and dashes"
            )
        found[name] = dict(table)
    for variable, value in environment.items():
        named = _OF_PROVIDER.fullmatch(variable)
        if named and value:
            found.setdefault(named[1].lower().replace("_", "-"), {})[named[2].lower()] = value
    return {name: _provider(name, table) for name, table in sorted(found.items())}


def _provider(name: str, table: Mapping[str, object]) -> OidcProvider:
    kinds = {one.name: one.type for one in fields(OidcProvider)}
    unknown = next((key for key in table if key not in kinds), None)
    if unknown is not None:
        raise SettingsInvalid(f"oidc.{name} has no setting {unknown!r}; there are {', '.join(kinds)}")
    read = {key: _read(kinds[key], value, f"{key} of oidc.{name}") for key, value in table.items()}
    for key in ("issuer", "client_id"):
        if not read.get(key):
            raise SettingsInvalid(f"oidc.{name} needs {key}")
    if not is_safe_address(str(read["issuer"])):
        raise SettingsInvalid(f"issuer of oidc.{name} must be an https address, as the provider writes it")
    provider = OidcProvider(**{"title": name.title(), **read})  # type: ignore[arg-type]  # each was read as its type
    if "openid" not in provider.scopes.split():
        raise SettingsInvalid(f"scopes of oidc.{name} must have openid among them")
    return provider


def is_safe_address(text: str) -> bool:
    """Whether what is sent to an address stays private: it uses HTTPS, or is on this machine."""
    if not _is_address(text, ("http", "https")) or not text.isprintable() or " " in text:
        return False
    parts = urlsplit(text)
    return parts.scheme == "https" or parts.hostname in ("localhost", "127.0.0.1", "::1")


def _bounded(name: str, value: object, where: str) -> object:
    if isinstance(value, int) and name in _BOUNDS:
        low, high = _BOUNDS[name]
        if not low <= value <= high:
            raise SettingsInvalid(f"{where} must be from {low:,} to {high:,}")
    if name in _FORMS and not _FORMS[name][0](str(value)):
        raise SettingsInvalid(f"{where} must be {_FORMS[name][1]}")
    return value


def _are_networks(text: str) -> bool:
    try:
        return all(ip_network(one.strip(), strict=False) for one in text.split(","))
    except ValueError:
        return False


def _is_address(text: str, schemes: Sequence[str]) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in schemes and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:  # a port that is none
        return False


def _is_redis(text: str) -> bool:
    """Whether it is a Redis address without a query, which could change how long to wait."""
    if not _is_address(text, ("redis", "rediss")):
        return False
    parts = urlsplit(text)
    return not (parts.query or parts.fragment) and (parts.path in ("", "/") or parts.path[1:].isdecimal())


def _is_zone(text: str) -> bool:
    try:
        return bool(zone(text))
    except Invalid:
        return False


# Further checks by setting, with what its value must be, in words that never repeat the value: it may be a password.
_FORMS: Final[Mapping[str, tuple[Callable[[str], bool], str]]] = {
    "log_level": (lambda text: text.lower() in LOG_LEVELS, f"one of {', '.join(LOG_LEVELS)}"),
    "trusted_proxies": (_are_networks, "addresses or networks such as 10.0.0.0/8, separated by commas"),
    "webhook_networks": (_are_networks, "addresses or networks such as 10.0.0.0/8, separated by commas"),
    "redis_url": (_is_redis, "redis://:PASSWORD@HOST:PORT/NUMBER, or rediss:// for TLS"),
    "smtp_url": (
        lambda text: _is_address(text, ("smtp", "smtps")),
        "smtp://USER:PASSWORD@HOST:587 or smtps://USER:PASSWORD@HOST",
    ),
    "public_url": (lambda text: _is_address(text, ("http", "https")), "an address such as https://learn.example.org"),
    "issuer_name": (
        lambda text: bool(text.strip()) and text.isprintable() and len(text) <= _NAME_MAX,
        f"at most {_NAME_MAX} printable characters",
    ),
    "archive_folder": (lambda text: Path(text).is_absolute(), "the whole path of a folder"),
    "font_folder": (lambda text: Path(text).is_dir(), "a folder that is there"),
    "signing_secret": (
        lambda text: len(text) >= _SECRET_MIN,
        f"at least {_SECRET_MIN} characters, such as `openssl rand -base64 32` gives",
    ),
    "metrics_token": (
        lambda text: len(text) >= _SECRET_MIN and text.isascii() and text.isprintable() and " " not in text,
        f"at least {_SECRET_MIN} ASCII characters without spaces, such as `openssl rand -hex 32` gives",
    ),
    "site_time_zone": (_is_zone, "an IANA zone such as Europe/Berlin"),
    "mail_from": (lambda text: "@" in text and text.isprintable(), "an address such as headway@example.org"),
}


def _read(kind: Any, value: object, where: str) -> object:
    if kind is bool:
        return _flag(value, where)
    if kind is int:
        return _whole_number(value, where)
    if not isinstance(value, str):
        raise SettingsInvalid(f"{where} must be text, in quotes")
    return value


def _flag(value: object, where: str) -> bool:
    text = str(value).lower()
    if text not in _YES + _NO:
        raise SettingsInvalid(f"{where} must be on or off")
    return text in _YES


def _whole_number(value: object, where: str) -> int:
    if isinstance(value, bool) or not str(value).isdecimal() or len(str(value)) > _DIGITS_MAX:
        raise SettingsInvalid(f"{where} must be a whole number")
    return int(str(value))


def _text(value: object) -> str:
    return ("on" if value else "off") if isinstance(value, bool) else str(value)
