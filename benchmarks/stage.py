"""Stage: every target as a running server, side by side, and the bytes that each is sent."""

from __future__ import annotations

import itertools
import json
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests

from benchmarks import cases, limits, payloads, peers, servers
from benchmarks.callers import message
from benchmarks.cases import Case
from benchmarks.hospital import Hospital
from cds_service.settings import SETTINGS
from tests.fhir_server.running import fhir_server

_SERVING = {"WORKERS": str(servers.WORKERS), "THREADS": str(servers.THREADS)}
_NOT_ON_A_FHIR_SERVER = ("performer", "requester", "encounter")  # they refer to what is not loaded
_LOADING = 60.0  # seconds
_PATHS = {cases.CONSTANT: "/constant", cases.VALIDATING: "/validating"}


@dataclass(slots=True)
class Stage:
    """The servers by target, and what is left out and why. `sent`: how many requests were ever made."""

    folder: Path
    hospital: Hospital
    parser: str = limits.PARSER
    left_out: dict[str, str] = field(default_factory=dict)
    servers: dict[str, servers.Server] = field(default_factory=dict)
    fhir: str = ""
    sent: int = 0

    def bodies(self, case: Case) -> dict[str, list[bytes]]:
        """The bodies of one round, by target; all targets get the same, but for what a fetching case is about."""
        now = datetime.now(UTC)
        if case.way == cases.FRESH:
            made = list(itertools.islice(payloads.stamped(case.hook, case.resources, now, self.sent), case.calls))
            self.sent += case.calls
        else:
            made = _cycled(payloads.stamped(case.hook, case.resources, now), case.calls)
        found = dict.fromkeys(case.targets, made)
        if case.way == cases.FETCH:
            found[cases.SERVICE] = _cycled((self._asking(case, each) for each in range(cases.REPEATING)), case.calls)
        return found

    def messages(self, case: Case, target: str, bodies: Iterable[bytes]) -> list[bytes]:
        """The same as they go over the wire to that target."""
        port = self.servers[target].port
        path = f"{_PATHS.get(target, '')}{path_of(case.hook)}"
        signed = target == cases.HOSPITAL
        return [message(port, path, body, self.hospital.bearer(port, path) if signed else "") for body in bodies]

    def _asking(self, case: Case, patient: int) -> bytes:
        name = _name(case.resources, patient)
        body = _of_patient(payloads.request(case.hook, case.resources, 9_000_000 + patient, datetime.now(UTC)), name)
        del body["prefetch"]
        return json.dumps({**body, "fhirServer": self.fhir}).encode()

    def load(self, wanted: Iterable[Case]) -> None:
        """Put the patients of fetching cases on the FHIR server."""
        sizes = sorted({case.resources for case in wanted if case.way == cases.FETCH})
        with requests.Session() as session:
            session.trust_env = False
            for size, patient in itertools.product(sizes, range(cases.REPEATING)):
                answer = session.post(self.fhir, json=_record(size, patient), timeout=_LOADING)
                answer.raise_for_status()


@contextmanager
def staged(wanted: Iterable[Case]) -> Iterator[Stage]:
    """Everything that these cases need, started; stopped again at the end."""
    wanted = tuple(wanted)
    targets = dict.fromkeys(target for case in wanted for target in case.targets)
    with ExitStack() as held:
        folder = Path(held.enter_context(tempfile.TemporaryDirectory()))
        stage = Stage(folder, Hospital.opened(folder))
        for target in targets:
            port = servers.free_port()
            command, settings = _started(stage, target, port)
            if command:
                held.enter_context(_kept(stage, target, command, port, settings))
        if any(case.way == cases.FETCH for case in wanted):
            stage.fhir = held.enter_context(fhir_server()).base
            stage.load(wanted)
        yield stage


@contextmanager
def _kept(stage: Stage, target: str, command: tuple[str, ...], port: int, settings: dict[str, str]) -> Iterator[None]:
    with servers.running(command, port, first_call(stage, target, port), settings) as server:
        stage.servers[target] = server
        yield


def service_command() -> tuple[str, ...]:
    """How the service is started, as `scripts/serve` has it."""
    return (*servers.GUNICORN, "gunicorn.conf.py")


def beside(target: str) -> tuple[str, ...]:
    """How the echo and the naive variant are started."""
    return (*servers.GUNICORN, "benchmarks/gunicorn_beside.py", f"benchmarks.limits:{target}()")


def service_settings(folder: Path, port: int) -> dict[str, str]:
    """The service as deployed, in demo mode; what it writes goes into the folder."""
    known = {each.name for each in SETTINGS}
    data = {"DATA": str(folder / "data")} if "DATA" in known else {}
    return {**_SERVING, "PORT": str(port), **data}


def first_call(stage: Stage, target: str, port: int) -> bytes:
    """A small call that each target answers with 200."""
    path = f"{_PATHS.get(target, '')}{path_of('order-sign')}"
    body = next(payloads.stamped("order-sign", 20, datetime.now(UTC)))
    return message(port, path, body, stage.hospital.bearer(port, path) if target == cases.HOSPITAL else "")


def path_of(hook: str) -> str:
    """The path of our service for that hook; the others answer there too."""
    return f"/cds-services/aml-{hook}"


def _started(stage: Stage, target: str, port: int) -> tuple[tuple[str, ...], dict[str, str]]:
    """The command that starts the target, and its settings; no command where it cannot be had."""
    settings = service_settings(stage.folder, port)
    if target == cases.SERVICE:
        return service_command(), settings
    if target == cases.HOSPITAL:
        return service_command(), settings | stage.hospital.settings(port)
    if target in (cases.ECHO, cases.NAIVE):
        folder, why = peers.orjson()
        stage.parser = "orjson" if folder else limits.PARSER
        if why:
            stage.left_out["orjson"] = f"{why}; the echo parses with {limits.PARSER}"
        path = f"{servers.ROOT}:{folder}" if folder else str(servers.ROOT)
        return beside(target), settings | {"PYTHONPATH": path}
    python, why = peers.healthchain()
    if python is None:
        stage.left_out[target] = why
        return (), {}
    app = str(servers.ROOT / "benchmarks" / "healthchain_app.py")
    return (str(python), app, str(port), str(servers.WORKERS)), {"PYTHONPATH": str(servers.ROOT / "benchmarks")}


def _cycled(few: Iterable[bytes], calls: int) -> list[bytes]:
    return list(itertools.islice(itertools.cycle(list(itertools.islice(few, cases.REPEATING))), calls))


def _name(resources: int, patient: int) -> str:
    return f"bench-{resources}-{patient}"


def _of_patient(value: Any, name: str) -> Any:
    """The same about a patient of that name."""
    text = json.dumps(value).replace('"p1"', f'"{name}"').replace("Patient/p1", f"Patient/{name}")
    return json.loads(text)


def _record(resources: int, patient: int) -> dict[str, Any]:
    """A chart as a transaction Bundle."""
    name = _name(resources, patient)
    body = _of_patient(payloads.request("patient-view", resources, 9_000_000 + patient, datetime.now(UTC)), name)
    entries = []
    for each in limits.resources(body):
        resource = {key: value for key, value in each.items() if key not in _NOT_ON_A_FHIR_SERVER}
        url = f"{resource['resourceType']}/{resource['id']}"
        entries.append({"resource": resource, "request": {"method": "PUT", "url": url}})
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


