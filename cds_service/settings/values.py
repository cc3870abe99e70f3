"""Settings: every setting, read once at the start and checked, each by itself and together."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from cds_service.errors import SettingsError
from cds_service.security.outbound import Way, credentials_in
from cds_service.settings.kinds import DEMO, HOSPITAL, JSON, LOGIN, LOOPBACK, ON, OPEN, ClientProfile
from cds_service.settings.table import SETTINGS, refuse_slips

_EVERY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104 - compared with, not bound to

_TOO_FAR = re.compile(r"/cds-services(?:/aml-(?:patient-view|order-select|order-sign)(?:/feedback)?)?\Z")


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
        refuse_slips(env)
        values = {setting.field: setting.read(env) for setting in SETTINGS}
        if values["mode"] == HOSPITAL and not values["public_url"]:
            raise SettingsError(
                "PUBLIC_URL is not set, expected in hospital mode the address under which the EHR calls this service, "
                "such as https://cds.example.org: tokens are made out to it, and calls to any other name are refused"
            )
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

    def require_listening(self) -> None:
        """Raises SettingsError where nothing may listen with these settings. A command that only looks does not ask."""
        if self.is_demo and not is_loopback(self.host) and not self.demo_on_network:
            raise SettingsError(
                f"HOST is '{self.host}', expected a loopback address such as 127.0.0.1: in demo mode nobody checks who "
                "calls. Where only trusted testers with synthetic patients reach the port, set DEMO_ON_NETWORK=1"
            )

    @property
    def bind(self) -> str:
        """The listening address as servers write it: host:port, IPv6 in brackets."""
        return f"{_bracketed(self.host)}:{self.port}"


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
    _check_public_url(settings.public_url)
    if settings.overlay_sha256 and settings.overlay is None and settings.is_demo:
        raise SettingsError("OVERLAY_SHA256 is set, and there is no OVERLAY: set its folder, or unset this")
    if settings.mode == HOSPITAL:
        _check_hospital(settings)
    elif settings.tenants is not None:
        raise SettingsError("TENANTS is set, and in demo mode nobody reads it: set MODE=hospital, or unset TENANTS")


def _check_readers(settings: Settings) -> None:
    if settings.why_links != LOGIN:
        if settings.why_readers is not None:
            raise SettingsError("WHY_READERS is set, and nobody reads it: set WHY_LINKS=login, or unset this")
        return
    if settings.why_readers is None:
        raise SettingsError("WHY_LINKS is 'login', and WHY_READERS names no file of those who may: see why.md")
    if settings.keep == "nothing":
        raise SettingsError("WHY_LINKS is 'login', and KEEP=nothing keeps nothing to look at: set KEEP, or signed")


def _check_public_url(url: str) -> None:
    """It is the address before `/cds-services`, not that of discovery or of a service."""
    too_far = _TOO_FAR.search(url)
    if too_far:
        raise SettingsError(
            f"PUBLIC_URL is '{url}', expected the address without {too_far[0]}, which calls have behind it: set it to "
            f"{url[: too_far.start()]}; as it is each call is 404, or its token names another address"
        )


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
