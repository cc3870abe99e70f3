"""Settings: one table of what can be set from outside, read once at the start.

Only `web.app`, `gunicorn.conf.py` and the command line read the environment; everything else is handed a `Settings`.
An empty variable counts as not set, as compose files and shells leave such behind. `docs/settings.md` is this table.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from cds_service.errors import SettingsError
from cds_service.security.outbound import Way, credentials_in, proxy_address, require_certificates

DEMO = "demo"
HOSPITAL = "hospital"
JSON = "json"
OFF, LOOPBACK, ON = "off", "loopback", "on"
SIGNED, LOGIN, OPEN = "signed", "login", "open"
JURISDICTIONS = ("US", "EU", "JP")
_PREFIX, _LONG, _NEARLY = "AML_CDS_", 6, 0.88  # of slips: see `_refuse_slips`
_EVERY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104 - compared with, not bound to


@dataclass(frozen=True, slots=True)
class Kind:
    """What a value has to look like: in words, and as a reader that raises ValueError."""

    expectation: str
    read: Callable[[str], Any]


@dataclass(frozen=True, slots=True)
class Setting:
    """One line of the table."""

    name: str
    default: str
    help: str
    kind: Kind

    @property
    def field(self) -> str:
        """The name of this setting in `Settings`."""
        return self.name.lower()

    def read(self, env: Mapping[str, str]) -> Any:
        """The value in `env`, else the default. Raises SettingsError."""
        given = env.get(self.name, "").strip()
        try:
            return self.kind.read(given or self.default)
        except ValueError:
            raise SettingsError(
                f"{self.name} is '{_shown(given)}', expected {self.kind.expectation}: correct it, or unset it for "
                f"{'the default ' + self.default if self.default else 'no value'}"
            ) from None


def _shown(given: str) -> str:
    return "…" if "@" in given else given  # a URL may hold a password


def _split(text: str) -> tuple[str, ...]:
    return tuple(part for part in (piece.strip() for piece in text.split(",")) if part)


def _choice(*words: str) -> Kind:
    def read(text: str) -> str:
        found = {word.upper(): word for word in words}.get(text.upper())
        if found is None:
            raise ValueError(text)
        return found

    return Kind("one of " + ", ".join(words), read)


def _within(number: type[int] | type[float], low: float, high: float, unit: str) -> Kind:
    def read(text: str) -> int | float:
        value = number(text)
        if not low <= value <= high:
            raise ValueError(text)
        return value

    return Kind(f"{unit} from {low} to {high}", read)


def _rate(text: str) -> tuple[int, str] | None:
    found = re.fullmatch(r"([1-9]\d{0,5})/(second|minute|hour)", text)
    if found is None and text != "0":
        raise ValueError(text)
    return (int(found[1]), found[2]) if found else None


_RATE = Kind("0 for no limit, or a rate such as 120/minute (second, minute, hour)", _rate)


def _log_format(text: str) -> str:
    return str(_choice(JSON, "text").read(text)) if text else ""


def _flag(text: str) -> bool:
    if text not in ("0", "1"):
        raise ValueError(text)
    return text == "1"


def _on_or_off(text: str) -> bool | None:
    return _choice("on", "off").read(text) == "on" if text else None


def _jurisdiction(text: str) -> str | None:
    return str(_choice(*JURISDICTIONS).read(text)) if text else None


def _host(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9.:-]+", text):
        raise ValueError(text)
    return text


def _hosts(text: str) -> tuple[str, ...]:
    return tuple(_host(name).lower() for name in _split(text))


def _url(text: str) -> str:
    parts = urlsplit(text)
    bare = not (parts.query or parts.fragment or "@" in parts.netloc or any(letter.isspace() for letter in text))
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0 or not bare:
        raise ValueError(text)
    return text.rstrip("/")


def _urls(text: str) -> tuple[str, ...]:
    return tuple(_url(url) for url in _split(text))


def _origins(text: str) -> tuple[str, ...]:
    origins = tuple(url.lower() for url in _urls(text))
    if any(urlsplit(origin).path for origin in origins):
        raise ValueError(text)
    return origins


def _public_url(text: str) -> str:
    return _url(text) if text else ""


def _folder(text: str) -> Path | None:
    if text and not Path(text).is_dir():
        raise ValueError(text)
    return Path(text) if text else None


@dataclass(frozen=True, slots=True)
class ClientProfile:
    """Whose cards are written in which profile; a tenant "" is any of the issuer."""

    issuer: str
    tenant: str
    profile: str


def _client_profiles(text: str) -> tuple[ClientProfile, ...]:
    found = tuple(_client_profile(pair) for pair in _split(text))
    if len({(each.issuer, each.tenant) for each in found}) < len(found):
        raise ValueError(text)  # one of two answers would silently win
    return found


def _client_profile(pair: str) -> ClientProfile:
    caller, _, profile = pair.rpartition("=")
    issuer, mark, tenant = (part.strip() for part in caller.partition("#"))
    if not profile.strip() or (mark and not tenant):
        raise ValueError(pair)
    return ClientProfile(_url(issuer), tenant, profile.strip())


def _file(text: str) -> Path | None:
    if text and not Path(text).is_file():
        raise ValueError(text)
    return Path(text) if text else None


def _digest(text: str) -> str:
    if text and not re.fullmatch(r"[0-9A-Fa-f]{64}", text):
        raise ValueError(text)
    return text.lower()


def _certificates(text: str) -> Path | None:
    found = _file(text)
    if found is not None:
        require_certificates(found)
    return found


def _proxy(text: str) -> str:
    return proxy_address(text) if text else ""


def _store(text: str) -> str:
    parts = urlsplit(text)
    if not text or (parts.scheme == "sqlite" and text.startswith("sqlite:///") and parts.path.strip("/")):
        return text
    if parts.scheme not in ("postgresql", "postgres") or not parts.path.strip("/") or parts.password is not None:
        raise ValueError(text)
    return text.replace("postgres://", "postgresql://", 1)


def _pages(text: str) -> str:
    if text not in ("", OFF, LOOPBACK, ON):
        raise ValueError(text)
    return text


def _zone(text: str) -> ZoneInfo:
    try:
        return ZoneInfo(text)
    except (OSError, LookupError):
        raise ValueError(text) from None


SETTINGS: tuple[Setting, ...] = (
    Setting(
        "MODE", DEMO,
        "How far this service may be trusted. `demo` has no caller authentication and says so on every card; "
        "`hospital` answers only the callers that `TENANTS` lists.",
        _choice(DEMO, HOSPITAL),
    ),
    Setting(
        "TENANTS", "",
        "The file that lists who may call in hospital mode: issuer, keys, jurisdiction, FHIR servers. See trust.md.",
        Kind("a file that can be read", _file),
    ),
    Setting(
        "JURISDICTION", "",
        "Whose labels apply in demo mode; unset means US. In hospital mode each tenant says its own.",
        Kind("one of " + ", ".join(JURISDICTIONS), _jurisdiction),
    ),
    Setting(
        "HOST", "127.0.0.1",
        "The address to listen on. Demo mode refuses all but loopback unless `DEMO_ON_NETWORK=1`.",
        Kind("an IP address or a host name", _host),
    ),
    Setting("PORT", "8080", "The port to listen on.", _within(int, 1, 65535, "a whole number")),
    Setting("WORKERS", "2", "Server processes; about one for each core.", _within(int, 1, 64, "a whole number")),
    Setting(
        "THREADS", "16",
        "Threads in each process. At most three quarters of them may wait for FHIR servers, so that a server that "
        "hangs holds up no call that brought its data along.",
        _within(int, 1, 64, "a whole number"),
    ),
    Setting(
        "DEMO_ON_NETWORK", "0",
        "1 lets demo mode listen beyond loopback. Whoever reaches the port can then ask; send synthetic patients only.",
        Kind("0 or 1", _flag),
    ),
    Setting(
        "ALLOWED_HOSTS", "",
        "Further `Host` names that callers may use, separated by commas, without port. Loopback names, `HOST` and the "
        "host of `PUBLIC_URL` are always allowed.",
        Kind("host names separated by commas, without scheme and port", _hosts),
    ),
    Setting(
        "FHIR_SERVERS", "",
        "Base URLs of the FHIR servers, besides those on loopback, that may be asked for data that was not sent along.",
        Kind("http(s) URLs separated by commas, without query", _urls),
    ),
    Setting(
        "CA_BUNDLE", "",
        "The authorities that certify the servers we ask: FHIR servers, keys of tenants, terminology server. The file "
        "holds instead of the public list that comes along; a tenant may have its own. See trust.md.",
        Kind("a file of certificates (PEM) that can be read", _certificates),
    ),
    Setting(
        "PROXY", "",
        "The proxy through which they are asked; what the environment says of proxies is not read. Unset means "
        "straight. A tenant may have its own. See trust.md.",
        Kind("an address such as http://proxy.example.org:3128, with a port and without a user", _proxy),
    ),
    Setting(
        "PROXY_PASSWORD_FILE", "",
        "The file with the proxy's user and password, one line `user:password`.",
        Kind("a file that can be read", _file),
    ),
    Setting(
        "PROXY_NOT_FOR", "",
        "Hosts that are asked straight all the same, separated by commas; one that begins with a dot stands for every "
        "host below it. This machine always is.",
        Kind("host names separated by commas, without scheme and port", _hosts),
    ),
    Setting(
        "ANSWER_SECONDS", "4.0",
        "How long one call may take as a whole. What is not checked by then is named on the card of gaps. Set it below "
        "your EHR's own time-out.",
        _within(float, 0.5, 30.0, "seconds"),
    ),
    Setting(
        "GATHER_SECONDS", "2.0",
        "How long one call may spend on asking the FHIR server, within `ANSWER_SECONDS`.",
        _within(float, 0.1, 10.0, "seconds"),
    ),
    Setting(
        "FHIR_KEEP_SECONDS", "0",
        "How long an answer of a FHIR server that has an ETag is kept, so that the next call can ask whether it has "
        "changed (`If-None-Match`) and is not sent it again. It is kept in memory, sealed with the access token that "
        "fetched it, by each process for itself; what is searched by POST is not. 0: nothing of a patient is kept "
        "between calls.",
        _within(float, 0, 300, "seconds"),
    ),
    Setting(
        "DRAIN_SECONDS", "5",
        "When told to stop (SIGTERM), how long `/readyz` says so before no call is taken any more, so that the "
        "balancer looks elsewhere first.",
        _within(float, 0, 60, "seconds"),
    ),
    Setting("MAX_BODY_MB", "8", "The largest request body that is read.", _within(int, 1, 64, "a whole number of MB")),
    Setting(
        "CORS_ORIGINS", "",
        "Further origins whose pages may call this service from a browser, besides loopback and the CDS Hooks Sandbox.",
        Kind("origins such as https://ehr.example.org, separated by commas", _origins),
    ),
    Setting(
        "PUBLIC_URL", "",
        "The address under which callers reach this service; links start with it. A path in it may come with a call "
        "or be taken away by the proxy. Unset means `http://HOST:PORT`.",
        Kind("an http(s) URL without query", _public_url),
    ),
    Setting(
        "TIME_ZONE", "UTC", "The zone in which days are counted and told, and of times that arrive without one.",
        Kind("an IANA name such as Europe/Berlin", _zone),
    ),
    Setting(
        "OVERLAY", "",
        "The folder of the hospital's own: values, rules off or in shadow, wording, local codes. See overlay.md.",
        Kind("a folder that can be read", _folder),
    ),
    Setting(
        "OVERLAY_SHA256", "",
        "The digest that the overlay must have, as `aml-cds diff OVERLAY` tells it: with any other neither a start nor "
        "a reload takes it. Unset takes what is there.",
        Kind("64 hexadecimal digits", _digest),
    ),
    Setting(
        "TERMINOLOGY_SERVER", "",
        "Base URL of a FHIR terminology server that is asked, in the background, about codes that the tables do not "
        "hold. Only the code and its system are sent. See terminology.md.",
        Kind("an http(s) URL without query", _public_url),
    ),
    Setting(
        "TERMINOLOGY_HOURS", "24", "How long an answer of the terminology server is kept in memory.",
        _within(float, 0.1, 720.0, "hours"),
    ),
    Setting(
        "CLIENT_PROFILES", "",
        "In which profile the cards of a caller are written, by the issuer of its token, or by issuer and tenant "
        "(`issuer#tenant`). Comes before the issuers that profiles name themselves. See profiles.md.",
        Kind("pairs issuer=profile separated by commas, each caller once", _client_profiles),
    ),
    Setting(
        "DEFAULT_PROFILE", "default", "The profile of every other caller. See profiles.md.",
        Kind("the name of a profile", str),
    ),
    Setting(
        "PLAYGROUND", "",
        "Whether `/playground` is shown, where anybody may change a made-up patient and see the answer. Unset means on "
        "in demo mode; in hospital mode it is always off.",
        Kind("on or off", _on_or_off),
    ),
    Setting(
        "STRICT_ALL", "0",
        "1 holds every resource against `fhir.resources` itself, asked for or not, and logs what it finds amiss. The "
        "cards are the same and come many times as slowly, within `ANSWER_SECONDS`: for trying a new EHR. See "
        "performance.md.",
        Kind("0 or 1", _flag),
    ),
    Setting(
        "DATA", "data", "The folder of what this service writes: the store, unless `STORE` says otherwise. It is made.",
        Kind("a folder", Path),
    ),
    Setting(
        "STORE", "",
        "Where calls and feedback are kept: `sqlite:////var/lib/aml-cds/store.sqlite3` or "
        "`postgresql://aml@db.example.org/aml`. Unset means a SQLite file in `DATA`. See store.md.",
        Kind("a URL of sqlite:/// or postgresql:// with a database and without a password", _store),
    ),
    Setting(
        "STORE_PASSWORD_FILE", "", "The file with the password for PostgreSQL.",
        Kind("a file that can be read", _file),
    ),
    Setting(
        "KEEP", "audit",
        "What is kept of a call: `nothing`; `audit`, outcomes and cards without values, ids as keyed hashes; `full`, "
        "request and response too, encrypted. See store.md.",
        _choice("nothing", "audit", "full"),
    ),
    Setting(
        "KEEP_KEY_FILE", "",
        "The file with the keys for hashes and encryption, a line each. With SQLite and `KEEP=audit`, or in demo mode, "
        "it may be left unset: then one is made beside the store.",
        Kind("a file that can be read", _file),
    ),
    Setting(
        "KEEP_DAYS", "180", "How long calls and feedback are kept.", _within(int, 1, 3650, "a whole number of days"),
    ),
    Setting(
        "FEEDBACK_PER_DAY", "20000",
        "How many entries of feedback one tenant may have kept in a day (UTC). More are answered with 429, so that "
        "nobody can fill the disk.",
        _within(int, 100, 10_000_000, "a whole number"),
    ),
    Setting(
        "DISK_LOW_MB", "500",
        "When less is free on the disk of a SQLite store, `/readyz` turns amber.",
        _within(int, 0, 1_000_000, "a whole number of MB"),
    ),
    Setting(
        "REPEATS", OFF,
        "`on`: a card that the same user has answered at order-select is not shown again at order-sign, as long as "
        "nothing that it used has changed; never a critical one. See store.md.",
        _choice(OFF, ON),
    ),
    Setting(
        "REPEAT_MINUTES", "60",
        "With `REPEATS=on`: how long after it was shown at order-select a card is not repeated.",
        _within(float, 1, 1440, "minutes"),
    ),
    Setting(
        "REPORT_WEEKS", "4", "With how many weeks before it the report compares the last whole week of a rule.",
        _within(int, 1, 52, "a whole number"),
    ),
    Setting(
        "REPORT_SILENT_FROM", "5",
        "A rule fell silent when it did not fire in the last whole week, and would have in at least so many calls.",
        _within(int, 1, 100_000, "a whole number"),
    ),
    Setting(
        "REPORT_GREW_TIMES", "3",
        "A rule exploded when it fired at least so many times as often in the last whole week as in those before.",
        _within(float, 1.1, 1000.0, "a number"),
    ),
    Setting(
        "WHY_LINKS", SIGNED,
        "Whether cards link the page that tells how they came about: no card (`off`), for some minutes by a signed "
        "address (`signed`), for those in `WHY_READERS` who log in (`login`), or for whoever has the address (`open`, "
        "in demo mode only). In hospital mode they need a `PUBLIC_URL` with https. See why.md.",
        _choice(OFF, SIGNED, LOGIN, OPEN),
    ),
    Setting(
        "WHY_MINUTES", "15", "How long such an address opens, or such a login lasts.",
        _within(int, 1, 1440, "a whole number of minutes"),
    ),
    Setting(
        "WHY_READERS", "",
        "With `WHY_LINKS=login`: the file of those who may log in; `aml-cds reader` writes its entries. See why.md.",
        Kind("a file that can be read", _file),
    ),
    Setting(
        "LOG_LEVEL", "INFO", "How much is logged. Patient data never is. Hospital mode takes no DEBUG.",
        _choice("DEBUG", "INFO", "WARNING", "ERROR"),
    ),
    Setting(
        "LOG_FORMAT", "",
        "How a log line is written: `json` for machines, `text` for eyes. Unset means text in demo mode, else json. "
        "See operating.md.",
        Kind("one of json, text", _log_format),
    ),
    Setting(
        "METRICS", LOOPBACK,
        "Who may read `/metrics`: nobody (`off`), only what runs on this machine and comes through no proxy "
        "(`loopback`), or whoever reaches the port (`on`, where the network lets only Prometheus through). To others "
        "the address does not exist.",
        _choice(OFF, LOOPBACK, ON),
    ),
    Setting(
        "TRACING", "",
        "The address of an OpenTelemetry collector (OTLP over HTTP) that is told a span for each call, with what a log "
        "line says and nothing of a patient. Unset means no tracing. Needs `aml-cds[otel]`. See operating.md.",
        Kind("an http(s) URL such as http://collector.example.org:4318/v1/traces", _public_url),
    ),
    Setting(
        "PAGES", "",
        "Who may open the pages that tell of calls (`/governance`): `off`, `loopback` or `on`, as `METRICS` says. "
        "Unset means `on` in demo mode, where the figures are made up, and `loopback` in hospital mode.",
        Kind("one of off, loopback, on", _pages),
    ),
    Setting(
        "CALLS_AT_ONCE", "0",
        "How many calls one server process answers at the same time; one more gets 503 at once, which at the bedside "
        "is silence, instead of waiting behind the others. Below `THREADS`, so that threads are left to say so; 0 sets "
        "no limit, and whoever comes waits.",
        _within(int, 0, 63, "a whole number"),
    ),
    Setting(
        "RATE_LIMIT_STRANGERS", "0",
        "How often one address may ask without a token that proves who it is; then 429. In demo mode everybody is a "
        "stranger. Counted by each server process for itself.", _RATE,
    ),
    Setting(
        "RATE_LIMIT_TENANT", "0",
        "How often one tenant may call; then 429, which at the bedside is silence. Counted by each server process for "
        "itself.", _RATE,
    ),
)


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting, checked. The fields are the table's names in lower case."""

    mode: str
    tenants: Path | None
    jurisdiction: str  # "" where each tenant says its own
    host: str
    port: int
    workers: int
    threads: int
    demo_on_network: bool
    allowed_hosts: tuple[str, ...]
    fhir_servers: tuple[str, ...]
    ca_bundle: Path | None
    proxy: str
    proxy_password_file: Path | None
    proxy_not_for: tuple[str, ...]
    answer_seconds: float
    gather_seconds: float
    fhir_keep_seconds: float
    drain_seconds: float
    max_body_mb: int
    cors_origins: tuple[str, ...]
    public_url: str
    time_zone: ZoneInfo
    overlay: Path | None
    overlay_sha256: str
    terminology_server: str
    terminology_hours: float
    client_profiles: tuple[ClientProfile, ...]
    default_profile: str
    playground: bool
    strict_all: bool
    data: Path
    store: str
    store_password_file: Path | None
    keep: str
    keep_key_file: Path | None
    keep_days: int
    feedback_per_day: int
    disk_low_mb: int
    repeats: str
    repeat_minutes: float
    report_weeks: int
    report_silent_from: int
    report_grew_times: float
    why_links: str
    why_minutes: int
    why_readers: Path | None
    log_level: str
    log_format: str
    metrics: str
    tracing: str
    pages: str
    calls_at_once: int
    rate_limit_strangers: tuple[int, str] | None  # so many in a second, minute or hour
    rate_limit_tenant: tuple[int, str] | None

    @classmethod
    def load(cls, env: Mapping[str, str]) -> Settings:
        """The settings in `env`, a mapping such as `os.environ`. Raises SettingsError."""
        _refuse_slips(env)
        values = {setting.field: setting.read(env) for setting in SETTINGS}
        values["jurisdiction"] = values["jurisdiction"] or ("US" if values["mode"] == DEMO else "")
        values["public_url"] = values["public_url"] or _own_address(values["host"], values["port"])
        values["pages"] = values["pages"] or (ON if values["mode"] == DEMO else LOOPBACK)
        values["playground"] = values["mode"] == DEMO if values["playground"] is None else values["playground"]
        settings = cls(**values)
        _check(settings)
        return settings

    @property
    def is_demo(self) -> bool:
        """Whether anybody may call, and the cards say so."""
        return self.mode == DEMO

    @property
    def logs_as_json(self) -> bool:
        """Whether log lines are JSON."""
        return (self.log_format or ("text" if self.is_demo else JSON)) == JSON

    @property
    def spoken_mode(self) -> str:
        """The mode, and whose labels apply: "demo mode, US labels"."""
        return f"{self.mode} mode, {f'{self.jurisdiction} labels' if self.jurisdiction else 'labels by tenant'}"

    def way(self) -> Way:
        """The way out to the servers that are asked. Raises SettingsError."""
        told = credentials_in(self.proxy_password_file)
        return Way(self.ca_bundle, self.proxy, self.proxy_not_for, told)

    @property
    def bind(self) -> str:
        """The listening address as servers write it: host:port, IPv6 in brackets."""
        return f"{_bracketed(self.host)}:{self.port}"


def _refuse_slips(env: Mapping[str, str]) -> None:
    """A name that is nearly one of ours is a setting that would silently not hold. Others' variables are not ours.

    Nearly: the same but for case, dashes and underscores, or off by about one letter in eight; of names of six letters
    and more. Our names have no prefix: `AML_CDS_` before one of them is a slip too, but for `AML_CDS_PORT`, which
    Kubernetes sets by itself for a service of that name. A secret has no setting, only its file has: `…_FILE`.
    """
    names = {each.name for each in SETTINGS}
    long = [name for name in names if len(name) >= _LONG]
    for given, value in env.items():
        if given in names or not value.strip():
            continue
        bare = given.upper().replace("-", "_")
        ours = bare.removeprefix(_PREFIX)
        without_prefix = {ours} - {bare, "PORT"}
        exact = (without_prefix | {f"{bare}_FILE"}) & names
        meant = sorted(exact) or get_close_matches(bare, long, 1, _NEARLY)
        if meant:
            raise SettingsError(
                f"{given} is set, and there is no such setting: did you mean {meant[0]}? Rename it, or unset it"
            )


def is_loopback(host: str) -> bool:
    """Whether this host name or address (without brackets and port) is this very machine."""
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _own_address(host: str, port: int) -> str:
    return f"http://{'localhost' if host in _EVERY_ADDRESS else _bracketed(host)}:{port}"


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _check(settings: Settings) -> None:
    if settings.gather_seconds >= settings.answer_seconds:
        raise SettingsError(
            f"GATHER_SECONDS is {settings.gather_seconds:g}, expected less than ANSWER_SECONDS, which is "
            f"{settings.answer_seconds:g}: asking is only part of a call"
        )
    if settings.calls_at_once >= settings.threads:
        raise SettingsError(
            f"CALLS_AT_ONCE is {settings.calls_at_once}, expected less than THREADS, which is {settings.threads}: "
            "else no thread is left to turn anybody away"
        )
    _check_proxy(settings)
    _check_readers(settings)
    if settings.overlay_sha256 and settings.overlay is None and settings.is_demo:
        raise SettingsError("OVERLAY_SHA256 is set, and there is no OVERLAY: set its folder, or unset this")
    if settings.mode == HOSPITAL:
        _check_hospital(settings)
    elif settings.tenants is not None:
        raise SettingsError("TENANTS is set, and in demo mode nobody reads it: set MODE=hospital, or unset TENANTS")
    elif not is_loopback(settings.host) and not settings.demo_on_network:
        raise SettingsError(
            f"HOST is '{settings.host}', expected a loopback address such as 127.0.0.1: in demo mode nobody checks who "
            "calls. Where only trusted testers with synthetic patients reach the port, set DEMO_ON_NETWORK=1"
        )


def _check_readers(settings: Settings) -> None:
    if settings.why_links != LOGIN:
        if settings.why_readers is not None:
            raise SettingsError("WHY_READERS is set, and nobody reads it: set WHY_LINKS=login, or unset this")
        return
    if settings.why_readers is None:
        raise SettingsError("WHY_LINKS is 'login', and WHY_READERS names no file of those who may: see why.md")
    if settings.keep == "nothing":
        raise SettingsError("WHY_LINKS is 'login', and KEEP=nothing keeps nothing to look at: set KEEP, or signed")


def _check_proxy(settings: Settings) -> None:
    for name in ("proxy_password_file", "proxy_not_for"):
        if getattr(settings, name) and not settings.proxy:
            raise SettingsError(f"{name.upper()} is set, and there is no PROXY: set its address, or unset this")
    settings.way()


def _check_hospital(settings: Settings) -> None:
    """Hospital mode knows its callers, and its own address: tokens are made out to it."""
    if settings.tenants is None:
        raise SettingsError("TENANTS is not set, expected the file that lists who may call: see docs/trust.md")
    for name in ("jurisdiction", "fhir_servers", "overlay", "overlay_sha256"):
        if getattr(settings, name):
            raise SettingsError(f"{name.upper()} is set, and in hospital mode each tenant says its own: move it there")
    if settings.why_links == OPEN:
        raise SettingsError("WHY_LINKS is 'open', expected off, signed or login in hospital mode: it opens charts")
    if settings.playground:
        raise SettingsError("PLAYGROUND is 'on', and in hospital mode there is none: unset it, or run a demo beside it")
    if settings.log_level == "DEBUG":
        raise SettingsError("LOG_LEVEL is 'DEBUG', expected INFO, WARNING or ERROR in hospital mode: unset it for INFO")
    public = urlsplit(settings.public_url)
    if public.scheme != "https" and settings.why_links == LOGIN:
        raise SettingsError("WHY_LINKS is 'login', and PUBLIC_URL has no https: passwords would be sent in the clear")
    if public.scheme != "https" and not is_loopback(public.hostname or ""):
        raise SettingsError(
            "PUBLIC_URL has no https, expected the address under which the EHR calls this service: its tokens name it"
        )


def as_markdown() -> str:
    """The table as `docs/settings.md` shows it."""
    rows = (
        f"| `{setting.name}` | {f'`{setting.default}`' if setting.default else '(unset)'} "
        f"| {setting.kind.expectation} | {setting.help} |"
        for setting in SETTINGS
    )
    return "\n".join(("| Name | Default | Expected | Meaning |", "|---|---|---|---|", *rows)) + "\n"
