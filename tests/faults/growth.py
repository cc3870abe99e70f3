"""Growth and cross-talk: many callers, each with a patient of its own, and what memory, open files, the time of an
answer and the store do meanwhile.
"""

from __future__ import annotations

import json
import re
import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from urllib.request import urlopen

from tests.calls import PATIENT, gilteritinib, order, qtcf, request
from tests.faults.traffic import Call, Json, calling
from tests.fhir_server.running import Running

PATIENTS = 12
LATE = "no time left"  # stands on the card of gaps where the deadline came before every check was made
_KIB = re.compile(r"VmRSS:\s+(\d+) kB")


def patients() -> list[Call]:
    """Calls of as many patients: each has a QTcF, and a drug beside, of its own."""
    calls = []
    for number in range(PATIENTS):
        qtc, text = 501 + 7 * number, f"posaconazole {100 + number} MG"
        listed = order(text, "1482908", 300, id=f"m-{number}")
        hook = ("order-sign", "patient-view")[number % 2]
        drafts = (gilteritinib(status="draft"),) if hook == "order-sign" else ()
        taken = [listed] if drafts else [listed, gilteritinib()]
        body = request(hook, *drafts, ecg=[qtcf(qtc, _today())], medications=taken)
        moved = json.dumps(body).replace("Patient/p1", f"Patient/p{number}")
        body = json.loads(moved)
        body["context"]["patientId"] = f"p{number}"
        body["prefetch"]["patient"] = PATIENT | {"id": f"p{number}"}
        calls.append(Call.of(body, (number, f"{qtc} ms")))
    return calls


def own_patient(call: Call, status: int, body: Json) -> str:
    """A fault when the answer says another patient's value or drug, or not this one's."""
    if status != 200:
        return f"status {status}"
    number, qtc = call.about
    said = " ".join(card["summary"] + card["detail"] for card in body["cards"])
    others = {f"{501 + 7 * each} ms" for each in range(PATIENTS)} - {qtc}
    mixed = [each for each in others if each in said]
    mixed += [each for each in re.findall(r"Patient/p\d+", json.dumps(body)) if each != f"Patient/p{number}"]
    if mixed:
        return f"patient {number} got {mixed}"
    shown = [card["summary"] for card in body["cards"]]
    if any(LATE in each for each in shown):
        return LATE
    return "" if qtc in said else f"patient {number} got no {qtc}: {shown}"


@dataclass(frozen=True)
class Soak:
    """Figures of a soak: calls, what was wrong, and per worker the memory in MiB at the end of each quarter."""

    calls: int
    seconds: float
    wrong: list[str]
    late: int  # answers that their deadline cut short, and that say so
    memory: dict[int, list[float]]
    files: dict[int, list[int]]
    took: list[float]  # seconds of the median call of each quarter
    store: list[float]  # MiB of the store at the end of each quarter; nothing where there is none

    @property
    def slower(self) -> float:
        """How many times as long the median call takes in the last quarter as in the first."""
        return self.took[3] / self.took[0]

    @property
    def grown(self) -> float:
        """The largest growth of a worker between the second and the fourth quarter, in MiB."""
        return max(quarters[3] - quarters[1] for quarters in self.memory.values())

    @property
    def allowed(self) -> float:
        """What it may grow: 3 % or 4 MiB."""
        return max(4.0, max(quarters[1] for quarters in self.memory.values()) * 0.03)


def soaked(running: Running, calls: int, callers: int, data: Path | None = None) -> Soak:
    """So many calls by so many callers at once, after a warm-up of a tenth. `data`: the folder of its store."""
    workers = running.workers()
    memory: dict[int, list[float]] = {each: [] for each in workers}
    files: dict[int, list[int]] = {each: [] for each in workers}
    took, store, before = [], [], 0
    began = time.monotonic()
    with calling(running.url, patients(), callers, own_patient) as told:
        for quarter in range(5):
            while (until := len(told.took)) < calls * (1 + 9 * quarter / 4) / 10:
                time.sleep(0.1)
            if quarter:
                for each in workers:
                    memory[each].append(mib(each))
                    files[each].append(len(list(Path(f"/proc/{each}/fd").iterdir())))
                took.append(median(told.took[before:until]))
                store += [_mib_below(data)] if data else []
            before = until
    wrong = [each for each in told.wrong if each != LATE]
    late = len(told.wrong) - len(wrong)
    return Soak(len(told.took), time.monotonic() - began, wrong, late, memory, files, took, store)


def caught_up(running: Running, data: Path, calls: int, seconds: float = 60.0) -> tuple[int, int]:
    """How many calls stand in the store of this folder, and how many the service says that it gave up.

    Callers that never pause are faster than a disk: waits so long until all of them are one or the other.
    """
    until = time.monotonic() + seconds
    while (found := (kept_calls(data), _given_up(running)))[0] + found[1] < calls and time.monotonic() < until:
        time.sleep(0.5)
    return found


def _given_up(running: Running) -> int:
    with urlopen(f"{running.url}/metrics", timeout=10) as page:
        found = re.search(r'^aml_cds_store_errors_total{what="call"} (\S+)', page.read().decode(), re.MULTILINE)
    return int(float(found[1])) if found else 0


def kept_calls(data: Path) -> int:
    with sqlite3.connect(data / "aml-cds.sqlite3") as store:
        (kept,) = store.execute("SELECT count(*) FROM call").fetchone()
    return int(kept)


def _mib_below(folder: Path) -> float:
    """Without the log beside it, which is used again and again."""
    kept = (each for each in folder.iterdir() if not each.name.endswith(("-wal", "-shm")))
    return sum(each.stat().st_size for each in kept) / 1024 / 1024


def mib(process: int) -> float:
    """The memory that this process holds."""
    found = _KIB.search(Path(f"/proc/{process}/status").read_text(encoding="ascii"))
    assert found is not None
    return int(found[1]) / 1024


def _today() -> str:
    return time.strftime("%Y-%m-%dT00:00:01Z", time.gmtime())
