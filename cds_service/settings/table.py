"""The table of what can be set, and the names that are nearly in it. `docs/settings.md` is this table."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path

from cds_service.errors import SettingsError
from cds_service.settings import kinds
from cds_service.settings.kinds import (
    DEMO,
    HOSPITAL,
    JURISDICTIONS,
    LOGIN,
    LOOPBACK,
    OFF,
    ON,
    OPEN,
    SIGNED,
    Kind,
    Setting,
)

_PREFIX, _LONG, _NEARLY = "AML_CDS_", 6, 0.88  # of slips: see `refuse_slips`
SETTINGS: tuple[Setting, ...] = (
    Setting(
        "MODE", DEMO,
        "How far this service may be trusted. `demo` has no caller authentication and says so on every card; "
        "`hospital` answers only the callers that `TENANTS` lists.",
        kinds.choice(DEMO, HOSPITAL),
    ),
    Setting(
        "TENANTS", "",
        "The file that lists who may call in hospital mode: issuer, keys, jurisdiction, FHIR servers. See trust.md.",
        Kind("a file that can be read", kinds.file),
    ),
    Setting(
        "JURISDICTION", "",
        "Whose labels apply in demo mode; unset means US. In hospital mode each tenant says its own.",
        Kind("one of " + ", ".join(JURISDICTIONS), kinds.jurisdiction),
    ),
    Setting(
        "HOST", "127.0.0.1",
        "The address to listen on. A server in demo mode refuses all but loopback unless `DEMO_ON_NETWORK=1`; "
        "a command that serves nobody runs all the same.",
        Kind("an IP address or a host name", kinds.host),
    ),
    Setting("PORT", "8080", "The port to listen on.", kinds.within(int, 1, 65535, "a whole number")),
    Setting("WORKERS", "2", "Server processes; about one for each core.", kinds.within(int, 1, 64, "a whole number")),
    Setting(
        "THREADS", "16",
        "Threads in each process. At most three quarters of them may wait for FHIR servers, so that a server that "
        "hangs holds up no call that brought its data along.",
        kinds.within(int, 1, 64, "a whole number"),
    ),
    Setting(
        "DEMO_ON_NETWORK", "0",
        "1 lets demo mode listen beyond loopback. Whoever reaches the port can then ask; send synthetic patients only.",
        Kind("0 or 1", kinds.flag),
    ),
    Setting(
        "ALLOWED_HOSTS", "",
        "Further `Host` names that callers may use, separated by commas, without port. Loopback names, `HOST` and the "
        "host of `PUBLIC_URL` are always allowed.",
        Kind("host names separated by commas, without scheme and port", kinds.hosts),
    ),
    Setting(
        "FHIR_SERVERS", "",
        "Base URLs of the FHIR servers, besides those on loopback, that may be asked for data that was not sent along.",
        Kind("http(s) URLs separated by commas, without query", kinds.urls),
    ),
    Setting(
        "CA_BUNDLE", "",
        "The authorities that certify the servers we ask: FHIR servers, keys of tenants, terminology server. The file "
        "holds instead of the public list that comes along; a tenant may have its own. See trust.md.",
        Kind("a file of certificates (PEM) that can be read", kinds.certificates),
    ),
    Setting(
        "PROXY", "",
        "The proxy through which they are asked; what the environment says of proxies is not read. Unset means "
        "straight. A tenant may have its own. See trust.md.",
        Kind("an address such as http://proxy.example.org:3128, with a port and without a user", kinds.proxy),
    ),
    Setting(
        "PROXY_PASSWORD_FILE", "",
        "The file with the proxy's user and password, one line `user:password`.",
        Kind("a file that can be read", kinds.file),
    ),
    Setting(
        "PROXY_NOT_FOR", "",
        "Hosts that are asked straight all the same, separated by commas; one that begins with a dot stands for every "
        "host below it. This machine always is.",
        Kind("host names separated by commas, without scheme and port", kinds.hosts),
    ),
    Setting(
        "ANSWER_SECONDS", "4.0",
        "How long one call may take as a whole. What is not checked by then is named on the card of gaps. Set it below "
        "your EHR's own time-out.",
        kinds.within(float, 0.5, 30.0, "seconds"),
    ),
    Setting(
        "GATHER_SECONDS", "2.0",
        "How long one call may spend on asking the FHIR server, within `ANSWER_SECONDS`.",
        kinds.within(float, 0.1, 10.0, "seconds"),
    ),
    Setting(
        "FHIR_KEEP_SECONDS", "0",
        "How long an answer of a FHIR server that has an ETag is kept, so that the next call can ask whether it has "
        "changed (`If-None-Match`) and is not sent it again. It is kept in memory, sealed with the access token that "
        "fetched it, by each process for itself; what is searched by POST is not. 0: nothing of a patient is kept "
        "between calls.",
        kinds.within(float, 0, 300, "seconds"),
    ),
    Setting(
        "DRAIN_SECONDS", "5",
        "When told to stop (SIGTERM), how long `/readyz` says so before no call is taken any more, so that the "
        "balancer looks elsewhere first.",
        kinds.within(float, 0, 60, "seconds"),
    ),
    Setting(
        "MAX_BODY_MB", "8", "The largest request body that is read.",
        kinds.within(int, 1, 64, "a whole number of MB"),
    ),
    Setting(
        "CORS_ORIGINS", "",
        "Further origins whose pages may call this service from a browser, besides loopback and the CDS Hooks Sandbox.",
        Kind("origins such as https://ehr.example.org, separated by commas", kinds.origins),
    ),
    Setting(
        "PUBLIC_URL", "",
        "The address under which callers reach this service; links start with it. A path in it may come with a call "
        "or be taken away by the proxy. Hospital mode needs it: tokens are made out to it. Unset means `http://HOST:PORT`.",
        Kind("an http(s) URL without query", kinds.public_url),
    ),
    Setting(
        "TIME_ZONE", "UTC", "The zone in which days are counted and told, and of times that arrive without one.",
        Kind("an IANA name such as Europe/Berlin", kinds.zone),
    ),
    Setting(
        "OVERLAY", "",
        "The folder of the hospital's own: values, rules off or in shadow, wording, local codes. See overlay.md.",
        Kind("a folder that can be read", kinds.folder),
    ),
    Setting(
        "OVERLAY_SHA256", "",
        "The digest that the overlay must have, as `aml-cds diff OVERLAY` tells it: with any other neither a start nor "
        "a reload takes it. Unset takes what is there.",
        Kind("64 hexadecimal digits", kinds.digest),
    ),
    Setting(
        "TERMINOLOGY_SERVER", "",
        "Base URL of a FHIR terminology server that is asked, in the background, about codes that the tables do not "
        "hold. Only the code and its system are sent. See terminology.md.",
        Kind("an http(s) URL without query", kinds.public_url),
    ),
    Setting(
        "TERMINOLOGY_HOURS", "24", "How long an answer of the terminology server is kept in memory.",
        kinds.within(float, 0.1, 720.0, "hours"),
    ),
    Setting(
        "CLIENT_PROFILES", "",
        "In which profile the cards of a caller are written, by the issuer of its token, or by issuer and tenant "
        "(`issuer#tenant`). Comes before the issuers that profiles name themselves. See profiles.md.",
        Kind("pairs issuer=profile separated by commas, each caller once", kinds.client_profiles),
    ),
    Setting(
        "DEFAULT_PROFILE", "default", "The profile of every other caller. See profiles.md.",
        Kind("the name of a profile", str),
    ),
    Setting(
        "PLAYGROUND", "",
        "Whether `/playground` is shown, where anybody may change a made-up patient and see the answer. Unset means on "
        "in demo mode; in hospital mode it is always off.",
        Kind("on or off", kinds.on_or_off),
    ),
    Setting(
        "STRICT_ALL", "0",
        "1 holds every resource against `fhir.resources` itself, asked for or not, and logs what it finds amiss. The "
        "cards are the same and come many times as slowly, within `ANSWER_SECONDS`: for trying a new EHR. See "
        "performance.md.",
        Kind("0 or 1", kinds.flag),
    ),
    Setting(
        "DATA", "data", "The folder of what this service writes: the store, unless `STORE` says otherwise. It is made.",
        Kind("a folder", Path),
    ),
    Setting(
        "STORE", "",
        "Where calls and feedback are kept: `sqlite:////var/lib/aml-cds/store.sqlite3` or "
        "`postgresql://aml@db.example.org/aml`. Unset means a SQLite file in `DATA`. See store.md.",
        Kind("a URL of sqlite:/// or postgresql:// with a database and without a password", kinds.store),
    ),
    Setting(
        "STORE_PASSWORD_FILE", "", "The file with the password for PostgreSQL.",
        Kind("a file that can be read", kinds.file),
    ),
    Setting(
        "KEEP", "audit",
        "What is kept of a call: `nothing`; `audit`, outcomes and cards without values, ids as keyed hashes; `full`, "
        "request and response too, encrypted. See store.md.",
        kinds.choice("nothing", "audit", "full"),
    ),
    Setting(
        "KEEP_KEY_FILE", "",
        "The file with the keys for hashes and encryption, a line each. With SQLite and `KEEP=audit`, or in demo mode, "
        "it may be left unset: then one is made beside the store.",
        Kind("a file that can be read", kinds.file),
    ),
    Setting(
        "KEEP_DAYS", "180", "How long calls and feedback are kept.",
        kinds.within(int, 1, 3650, "a whole number of days"),
    ),
    Setting(
        "FEEDBACK_PER_DAY", "20000",
        "How many entries of feedback one tenant may have kept in a day (UTC). More are answered with 429, so that "
        "nobody can fill the disk.",
        kinds.within(int, 100, 10_000_000, "a whole number"),
    ),
    Setting(
        "DISK_LOW_MB", "500",
        "When less is free on the disk of a SQLite store, `/readyz` turns amber.",
        kinds.within(int, 0, 1_000_000, "a whole number of MB"),
    ),
    Setting(
        "REPEATS", OFF,
        "`on`: a card that the same user has answered at order-select is not shown again at order-sign, as long as "
        "nothing that it used has changed; never a critical one. See store.md.",
        kinds.choice(OFF, ON),
    ),
    Setting(
        "REPEAT_MINUTES", "60",
        "With `REPEATS=on`: how long after it was shown at order-select a card is not repeated.",
        kinds.within(float, 1, 1440, "minutes"),
    ),
    Setting(
        "REPORT_WEEKS", "4", "With how many weeks before it the report compares the last whole week of a rule.",
        kinds.within(int, 1, 52, "a whole number"),
    ),
    Setting(
        "REPORT_SILENT_FROM", "5",
        "A rule fell silent when it did not fire in the last whole week, and would have in at least so many calls.",
        kinds.within(int, 1, 100_000, "a whole number"),
    ),
    Setting(
        "REPORT_GREW_TIMES", "3",
        "A rule exploded when it fired at least so many times as often in the last whole week as in those before.",
        kinds.within(float, 1.1, 1000.0, "a number"),
    ),
    Setting(
        "WHY_LINKS", SIGNED,
        "Whether cards link the page that tells how they came about: no card (`off`), for some minutes by a signed "
        "address (`signed`), for those in `WHY_READERS` who log in (`login`), or for whoever has the address (`open`, "
        "in demo mode only). In hospital mode they need a `PUBLIC_URL` with https. See why.md.",
        kinds.choice(OFF, SIGNED, LOGIN, OPEN),
    ),
    Setting(
        "WHY_MINUTES", "15", "How long such an address opens, or such a login lasts.",
        kinds.within(int, 1, 1440, "a whole number of minutes"),
    ),
    Setting(
        "WHY_READERS", "",
        "With `WHY_LINKS=login`: the file of those who may log in; `aml-cds reader` writes its entries. See why.md.",
        Kind("a file that can be read", kinds.file),
    ),
    Setting(
        "LOG_LEVEL", "INFO", "How much is logged. Patient data never is. Hospital mode takes no DEBUG.",
        kinds.choice("DEBUG", "INFO", "WARNING", "ERROR"),
    ),
    Setting(
        "LOG_FORMAT", "",
        "How a log line is written: `json` for machines, `text` for eyes. Unset means text in demo mode, else json. "
        "See operating.md.",
        Kind("one of json, text", kinds.log_format),
    ),
    Setting(
        "METRICS", LOOPBACK,
        "Who may read `/metrics`: nobody (`off`), only what runs on this machine and comes through no proxy "
        "(`loopback`), or whoever reaches the port (`on`, where the network lets only Prometheus through). To others "
        "the address does not exist.",
        kinds.choice(OFF, LOOPBACK, ON),
    ),
    Setting(
        "TRACING", "",
        "The address of an OpenTelemetry collector (OTLP over HTTP) that is told a span for each call, with what a log "
        "line says and nothing of a patient. Unset means no tracing. Needs `aml-cds[otel]`. See operating.md.",
        Kind("an http(s) URL such as http://collector.example.org:4318/v1/traces", kinds.public_url),
    ),
    Setting(
        "PAGES", "",
        "Who may open the pages that tell of calls (`/governance`): `off`, `loopback` or `on`, as `METRICS` says. "
        "Unset means `on` in demo mode, where the figures are made up, and `loopback` in hospital mode.",
        Kind("one of off, loopback, on", kinds.pages),
    ),
    Setting(
        "CALLS_AT_ONCE", "0",
        "How many calls one server process answers at the same time; one more gets 503 at once, which at the bedside "
        "is silence, instead of waiting behind the others. Below `THREADS`, so that threads are left to say so; 0 sets "
        "no limit, and whoever comes waits.",
        kinds.within(int, 0, 63, "a whole number"),
    ),
    Setting(
        "RATE_LIMIT_STRANGERS", "0",
        "How often one address may ask without a token that proves who it is; then 429. In demo mode everybody is a "
        "stranger. Counted by each server process for itself.", kinds.RATE,
    ),
    Setting(
        "RATE_LIMIT_TENANT", "0",
        "How often one tenant may call; then 429, which at the bedside is silence. Counted by each server process for "
        "itself.", kinds.RATE,
    ),
)


def refuse_slips(env: Mapping[str, str]) -> None:
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


def as_markdown() -> str:
    """The table as `docs/settings.md` shows it."""
    rows = (
        f"| `{setting.name}` | {f'`{setting.default}`' if setting.default else '(unset)'} "
        f"| {setting.kind.expectation} | {setting.help} |"
        for setting in SETTINGS
    )
    return "\n".join(("| Name | Default | Expected | Meaning |", "|---|---|---|---|", *rows)) + "\n"
