"""The settings table: defaults, what is refused and in which words, and its page."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from cds_service.console import settings_told
from cds_service.errors import SettingsError
from cds_service.settings import SETTINGS, ClientProfile, Settings, as_markdown, is_loopback
from cds_service.web import serving

PAGE = Path(__file__).parents[1] / "docs" / "settings.md"


def test_without_configuration_it_is_a_demo_for_the_us_on_loopback():
    settings = Settings.load({})
    assert (settings.mode, settings.jurisdiction, settings.bind) == ("demo", "US", "127.0.0.1:8080")
    assert settings.public_url == "http://127.0.0.1:8080"
    assert settings.time_zone == ZoneInfo("UTC")
    assert settings.fhir_servers == () and settings.gather_seconds == 2.0


def test_an_empty_variable_counts_as_not_set():
    assert Settings.load({setting.name: " " for setting in SETTINGS}) == Settings.load({})


def test_every_setting_has_a_field_and_every_field_a_setting():
    assert [field.name for field in fields(Settings)] == [setting.field for setting in SETTINGS]


def test_the_page_shows_the_very_table():
    assert as_markdown() in PAGE.read_text(encoding="utf-8"), "docs/settings.md is old: make docs"


def test_every_setting_has_its_sentence_of_help():
    assert all(setting.help.endswith(".") and setting.kind.expectation for setting in SETTINGS)


@pytest.mark.parametrize("env, field, value", [
    ({"JURISDICTION": "eu"}, "jurisdiction", "EU"),
    ({"JURISDICTION": "JP"}, "jurisdiction", "JP"),
    ({"PORT": " 9000 "}, "port", 9000),
    ({"HOST": "::1"}, "public_url", "http://[::1]:8080"),
    ({"HOST": "::1"}, "bind", "[::1]:8080"),
    ({"HOST": "0.0.0.0", "DEMO_ON_NETWORK": "1"}, "public_url", "http://localhost:8080"),
    ({"PUBLIC_URL": "https://cds.example.org/aml/"}, "public_url", "https://cds.example.org/aml"),
    ({"FHIR_SERVERS": "https://a.example/r4/, http://b.example:1,"}, "fhir_servers",
     ("https://a.example/r4", "http://b.example:1")),
    ({"ALLOWED_HOSTS": "A.example, b.example"}, "allowed_hosts", ("a.example", "b.example")),
    ({"CORS_ORIGINS": "https://EHR.example"}, "cors_origins", ("https://ehr.example",)),
    ({"GATHER_SECONDS": "0.5"}, "gather_seconds", 0.5),
    ({"TIME_ZONE": "Asia/Tokyo"}, "time_zone", ZoneInfo("Asia/Tokyo")),
    ({"CLIENT_PROFILES": "https://a.example/r4/=epic, https://b.example#north = ours"}, "client_profiles",
     (ClientProfile("https://a.example/r4", "", "epic"), ClientProfile("https://b.example", "north", "ours"))),
    ({"DEFAULT_PROFILE": "epic"}, "default_profile", "epic"),
    ({"LOG_LEVEL": "debug"}, "log_level", "DEBUG"),
])
def test_a_good_value_is_read(env, field, value):
    assert getattr(Settings.load(env), field) == value


@pytest.mark.parametrize("name, value", [
    ("JURISDICTION", "UK"), ("JURISDICTION", "USA"), ("HOST", "a b"), ("PORT", "http"), ("PORT", "0"),
    ("ANSWER_SECONDS", "0"), ("ANSWER_SECONDS", "31"), ("DRAIN_SECONDS", "-1"), ("DRAIN_SECONDS", "soon"),
    ("PORT", "65536"), ("WORKERS", "0"), ("WORKERS", "2.5"), ("THREADS", "-1"), ("DEMO_ON_NETWORK", "yes"),
    ("ALLOWED_HOSTS", "https://a.example"), ("FHIR_SERVERS", "a.example"), ("FHIR_SERVERS", "file:///etc/passwd"),
    ("FHIR_SERVERS", "https://a.example?x=1"), ("FHIR_SERVERS", "https://"), ("FHIR_SERVERS", "https://a:99999"),
    ("GATHER_SECONDS", "0"), ("GATHER_SECONDS", "nan"), ("GATHER_SECONDS", "inf"), ("GATHER_SECONDS", "11"),
    ("MAX_BODY_MB", "65"), ("CORS_ORIGINS", "*"), ("CORS_ORIGINS", "https://a.example/path"),
    ("PUBLIC_URL", "cds.example"), ("TIME_ZONE", "Mars/Olympus"), ("TIME_ZONE", "../../etc/passwd"),
    ("LOG_LEVEL", "loud"), ("CLIENT_PROFILES", "epic"), ("CLIENT_PROFILES", "https://a.example="),
    ("CLIENT_PROFILES", "a.example=epic"), ("CLIENT_PROFILES", "https://a.example#=epic"),
    ("CLIENT_PROFILES", "https://a.example=epic,https://a.example/=oracle"),
])
def test_a_bad_value_is_refused_by_its_name_what_was_expected_and_what_to_do(name, value):
    with pytest.raises(SettingsError) as refused:
        Settings.load({name: value})
    message = str(refused.value)
    assert message.startswith(f"{name} is '{value}', expected ")
    assert "correct it, or unset it for" in message


def test_a_password_in_a_url_is_refused_and_not_repeated():
    with pytest.raises(SettingsError) as refused:
        Settings.load({"FHIR_SERVERS": "https://me:secret@a.example"})
    assert "secret" not in str(refused.value)


def test_a_mode_that_does_not_exist():
    with pytest.raises(SettingsError, match=r"MODE is 'production', expected one of demo, hospital"):
        Settings.load({"MODE": "production"})


def hospital(folder, **changes):
    (folder / "tenants.toml").write_text("", encoding="utf-8")
    env = {"MODE": "hospital", "TENANTS": str(folder / "tenants.toml"), "PUBLIC_URL": "https://cds.example.org"}
    return Settings.load(env | changes)


def test_hospital_mode_has_no_jurisdiction_of_its_own(tmp_path):
    settings = hospital(tmp_path, HOST="0.0.0.0")
    assert (settings.jurisdiction, settings.is_demo) == ("", False)
    assert settings.spoken_mode == "hospital mode, labels by tenant"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"TENANTS": ""}, "TENANTS is not set"),
        ({"TENANTS": "/nowhere.toml"}, "TENANTS is '/nowhere.toml', expected a file"),
        ({"PUBLIC_URL": "http://cds.example.org"}, "PUBLIC_URL has no https"),
        ({"PUBLIC_URL": "https://cds.example.org/aml/cds-services/"},
         "expected the address without /cds-services, which calls have behind it: set it to https://cds.example.org/aml;"),
        ({"PUBLIC_URL": "https://cds.example.org/cds-services/aml-order-sign"}, "set it to https://cds.example.org;"),
        ({"PUBLIC_URL": ""}, "PUBLIC_URL is not set, expected in hospital mode the address under which the EHR calls"),
        ({"JURISDICTION": "US"}, "JURISDICTION is set, and in hospital mode each tenant says its own"),
        ({"FHIR_SERVERS": "https://ehr.example.org"}, "FHIR_SERVERS is set"),
        ({"PLAYGROUND": "on"}, "PLAYGROUND is 'on', and in hospital mode there is none"),
        ({"MODE": "demo"}, "in demo mode nobody reads it"),
    ],
)
def test_hospital_mode_is_not_half_set(tmp_path, changes, says):
    with pytest.raises(SettingsError) as refused:
        hospital(tmp_path, **changes)
    assert says in str(refused.value)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.7", "::", "cds.example.org"])
def test_demo_listens_beyond_loopback_only_when_told_to(host):
    with pytest.raises(SettingsError, match="set DEMO_ON_NETWORK=1"):
        Settings.load({"HOST": host}).require_listening()
    allowed = Settings.load({"HOST": host, "DEMO_ON_NETWORK": "1"})
    allowed.require_listening()
    assert allowed.host == host


@pytest.mark.parametrize("start", [serving.settings_at_start.__wrapped__, serving.from_environment])
def test_no_server_starts_on_the_network_in_demo_mode(start, monkeypatch):
    monkeypatch.setenv("HOST", "0.0.0.0")
    monkeypatch.delenv("DEMO_ON_NETWORK", raising=False)
    with pytest.raises(SystemExit, match=r"aml-cds does not start: HOST is '0\.0\.0\.0'"):
        start()


def test_hospital_mode_listens_where_it_is_told(tmp_path):
    hospital(tmp_path, HOST="0.0.0.0").require_listening()


@pytest.mark.parametrize("host, expected", [
    ("localhost", True), ("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("0.0.0.0", False),
    ("localhost.example", False), ("127.0.0.1.example", False), ("", False),
])
def test_loopback_is_known_by_name_and_by_address(host, expected):
    assert is_loopback(host) is expected


def test_the_playground_is_shown_in_demo_mode_and_never_in_a_hospital(tmp_path):
    assert Settings.load({}).playground
    assert not Settings.load({"PLAYGROUND": "off"}).playground
    assert not hospital(tmp_path).playground
    with pytest.raises(SettingsError, match="PLAYGROUND is 'perhaps', expected on or off"):
        Settings.load({"PLAYGROUND": "perhaps"})


@pytest.mark.parametrize("name", [
    "FHIR_SERVER", "ALLOWED_HOST", "TIMEZONE", "LOGLEVEL", "Tenants", "PUBLIC-URL", "WORKER", "METRIC", "AML_CDS_MODE",
    "AML_CDS_HOST", "overlay", "RATE_LIMIT_STRANGER",
])
def test_a_name_that_is_nearly_a_setting_is_refused_and_the_right_one_named(name):
    with pytest.raises(SettingsError, match=f"{name} is set, and there is no such setting: did you mean [A-Z_]+"):
        Settings.load({name: "x"})
    assert Settings.load({name: ""}) == Settings.load({})


@pytest.mark.parametrize("name", [
    "PATH", "HOME", "HOSTNAME", "PORTS", "Host", "host", "mode", "AML_CDS_TOKEN", "AML_CDS_PORT",
    "AML_CDS_SERVICE_HOST", "AML_CDS_PORT_8080_TCP", "LOGNAME", "TZ", "LANG", "PYTHONPATH", "HTTP_PROXY",
    "KUBERNETES_SERVICE_PORT", "METRICS_PORT", "FHIR_URL", "POSTGRES_HOST", "PROMETHEUS_MULTIPROC_DIR",
])
def test_what_belongs_to_others_is_none_of_ours(name):
    assert Settings.load({name: "tcp://10.0.0.1:8080"}) == Settings.load({})


def test_hospital_mode_logs_json_and_takes_no_debug(tmp_path):
    assert hospital(tmp_path).logs_as_json and not Settings.load({}).logs_as_json
    assert not hospital(tmp_path, LOG_FORMAT="text").logs_as_json
    with pytest.raises(SettingsError, match="LOG_LEVEL is 'DEBUG', expected INFO, WARNING or ERROR in hospital mode"):
        hospital(tmp_path, LOG_LEVEL="DEBUG")


@pytest.mark.parametrize(("text", "rate"), [("0", None), ("120/minute", (120, "minute")), ("5/second", (5, "second"))])
def test_a_rate_is_so_many_in_a_time(text, rate):
    assert Settings.load({"RATE_LIMIT_STRANGERS": text}).rate_limit_strangers == rate


def test_every_setting_is_told_with_where_it_is_from_and_a_password_is_not():
    env = {"PORT": "9000", "DEFAULT_PROFILE": "postgresql://aml:hush@db.example/aml"}
    told = {each.name: each for each in settings_told.settings_of(env)}
    assert (told["PORT"].value, told["PORT"].origin) == ("9000", "environment")
    assert (told["MODE"].value, told["MODE"].origin) == ("demo", "default")
    assert told["DEFAULT_PROFILE"].value == "postgresql://…@db.example/aml"
    assert [each.name for each in settings_told.settings_of({})] == [setting.name for setting in SETTINGS]


def test_the_example_file_is_todays():
    assert settings_told.as_env_example() == (PAGE.parents[1] / ".env.example").read_text(encoding="utf-8"), "make docs"
