"""What a terminology server says of codes that our tables do not hold. No answer ever waits for it.

A code that is not known is answered as not known, at once, and put in a short line; a thread of its own asks for it,
and the next call finds what came. Kept in memory only, for as long as the setting says. What fails is counted and asked
again later; nothing is raised. Only what is exact counts: an ingredient by its RxNorm code, an equivalent code by a
map, a condition below one of ours in SNOMED CT.
"""

from __future__ import annotations

import logging
import os
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from queue import Full, Queue
from threading import Lock, Thread, local
from time import monotonic
from typing import Generic, TypeVar

from cds_service.gather.terminology import Looked, NoAnswer, NotKnownThere, TerminologyServer
from cds_service.knowledge.codes import SERVER, Code, ConditionCode, DrugCode
from cds_service.knowledge.spelling import RXNORM, SNOMED, SPOKEN
from cds_service.knowledge.terms import Elsewhere, Terms

T = TypeVar("T")
_log = logging.getLogger(__name__)

_TO_INGREDIENTS = frozenset(
    {"has_ingredient", "has_ingredients", "has_precise_ingredient", "consists_of", "tradename_of", "contains"}
    | {"has_part"}
)
_STEPS = 3  # a pack, its drugs, their components: further away RxNorm holds no ingredient
_ASKED = 12  # look-ups for one code
_RETRY = 300.0  # seconds after which a failed look-up may be made again
_KEPT = 5000  # codes of one kind that are remembered
_WAITING = 200  # codes that may stand in line


@dataclass(slots=True)
class _Kept(Generic[T]):
    value: T | None
    until: float


class Remembered(Generic[T]):
    """Answers by code, each until its time; what is not there is asked for in the background."""

    def __init__(self, seconds: float, clock: Callable[[], float]) -> None:
        self._seconds = seconds
        self._clock = clock
        self._kept: OrderedDict[Code, _Kept[T]] = OrderedDict()

    def of(self, code: Code) -> tuple[T | None, bool]:
        """What is known of the code, and whether it has to be asked (again). An old answer holds until a new one."""
        kept = self._kept.get(code)
        return (None, True) if kept is None else (kept.value, kept.until <= self._clock())

    def keep(self, code: Code, value: T | None) -> None:
        """Keep an answer; that the server knows nothing is one too."""
        self._put(code, _Kept(value, self._clock() + self._seconds))

    def postpone(self, code: Code) -> None:
        """Keep what was known, and ask again before long."""
        self._put(code, _Kept(self.of(code)[0], self._clock() + min(_RETRY, self._seconds)))

    def _put(self, code: Code, kept: _Kept[T]) -> None:
        self._kept[code] = kept
        self._kept.move_to_end(code)
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)


class Noted:
    """`Elsewhere` that notes each code which our tables do not hold, and passes on to the one behind it, if any.

    `note` is told "drug" or "condition", the code system as one speaks of it ("" for one that we do not read) and how
    many there were, once the chart is read: a chart holds hundreds of them.
    """

    def __init__(self, behind: Elsewhere | None, note: Callable[[str, str, int], object]) -> None:
        self._behind = behind
        self._note = note
        self._met = local()  # each thread reads a chart of its own

    def drug(self, system: str, code: str) -> DrugCode | None:
        """What the one behind says of a drug's code."""
        self._meet("drug", system)
        return self._behind.drug(system, code) if self._behind else None

    def condition(self, system: str, code: str) -> ConditionCode | None:
        """The same for the code of a condition or procedure."""
        self._meet("condition", system)
        return self._behind.condition(system, code) if self._behind else None

    def chart_was_read(self) -> None:
        """Tell what was noted in this thread."""
        met, self._met.codes = getattr(self._met, "codes", {}), {}
        for (kind, system), times in met.items():
            self._note(kind, SPOKEN.get(system, ""), times)

    def _meet(self, kind: str, system: str) -> None:
        met = self._met.__dict__.setdefault("codes", {})
        met[kind, system] = met.get((kind, system), 0) + 1


class FromServer:
    """`Elsewhere` by a terminology server. Make it once, also before a fork: each process has a thread of its own."""

    def __init__(
        self,
        server: TerminologyServer,
        terms: Terms,
        hours: float,
        clock: Callable[[], float] = monotonic,
        waiting: int = _WAITING,
    ) -> None:
        self._server = server
        self._terms = terms
        self._drugs: Remembered[DrugCode] = Remembered(hours * 3600, clock)
        self._conditions: Remembered[ConditionCode] = Remembered(hours * 3600, clock)
        self._line: Queue[tuple[str, Code]] = Queue(waiting)
        self._in_line: set[tuple[str, Code]] = set()
        self._lock = Lock()
        self._process = 0
        self.counts: Counter[str] = Counter()  # told, unknown, failed, refused (the line was full)

    def drug(self, system: str, code: str) -> DrugCode | None:
        """What the server said of a drug's code earlier."""
        return self._known("drug", self._drugs, (system, code))

    def condition(self, system: str, code: str) -> ConditionCode | None:
        """What the server said of the code of a condition or procedure earlier."""
        return self._known("condition", self._conditions, (system, code))

    def chart_was_read(self) -> None:
        """Nothing is to be told: the thread asks what stands in its line."""

    def _known(self, kind: str, remembered: Remembered[T], code: Code) -> T | None:
        value, ask = remembered.of(code)
        if ask and code[0]:
            self._stand_in_line((kind, code))
        return value

    def _stand_in_line(self, item: tuple[str, Code]) -> None:
        with self._lock:
            if self._process != os.getpid():  # the thread and the line of a parent do not survive the fork
                self._process = os.getpid()
                self._in_line.clear()
                self._line = Queue(self._line.maxsize)
                Thread(target=self._work, name="terminology", daemon=True).start()
            if item in self._in_line:
                return
            try:
                self._line.put_nowait(item)
                self._in_line.add(item)
            except Full:
                self.counts["refused"] += 1

    def settle(self) -> None:
        """Wait until the line is empty. For the command line and for tests: an answer never does."""
        self._line.join()

    def _work(self) -> None:
        line = self._line
        while True:
            item = line.get()
            try:
                self._look_up(*item)
            except Exception as fault:  # noqa: BLE001 - whatever fails here must not end the thread
                self._failed(item, type(fault).__name__)
            finally:
                with self._lock:
                    self._in_line.discard(item)
                line.task_done()

    def _look_up(self, kind: str, code: Code) -> None:
        try:
            if kind == "drug":
                self._keep(self._drugs, code, find_drug(self._server, self._terms, *code))
            else:
                self._keep(self._conditions, code, find_condition(self._server, self._terms, *code))
        except NotKnownThere:
            (self._drugs if kind == "drug" else self._conditions).keep(code, None)
            self.counts["unknown"] += 1
        except NoAnswer as fault:
            self._failed((kind, code), str(fault))

    def _keep(self, remembered: Remembered[T], code: Code, found: T | None) -> None:
        remembered.keep(code, found)
        self.counts["told" if found is not None else "unknown"] += 1

    def _failed(self, item: tuple[str, Code], why: str) -> None:
        kind, code = item
        (self._drugs if kind == "drug" else self._conditions).postpone(code)
        self.counts["failed"] += 1
        if self.counts["failed"] in (1, 10) or self.counts["failed"] % 100 == 0:
            _log.warning("terminology server: %d look-ups failed so far, the last one: %s", self.counts["failed"], why)


def find_drug(server: TerminologyServer, terms: Terms, system: str, code: str) -> DrugCode | None:
    """The drug by its RxNorm ingredients, or by an equivalent RxNorm code that our tables hold. Raises NoAnswer."""
    if system != RXNORM:
        same = (terms.drugs.get((RXNORM, each)) for each in server.translate(system, code, RXNORM))
        found = [drug for drug in same if drug is not None]
        return _told(_each(name for drug in found for name in drug.ingredients), found[0].display) if found else None
    first = server.lookup(system, code)
    ingredients: list[str] = []
    frontier, asked = [first], 1
    for _ in range(_STEPS):
        further: list[Looked] = []
        for looked in frontier:
            for each in dict.fromkeys(code for name, code in looked.related if name.lower() in _TO_INGREDIENTS):
                listed = terms.drugs.get((RXNORM, each))
                if listed is not None:
                    ingredients += listed.ingredients
                elif asked < _ASKED:
                    further.append(server.lookup(RXNORM, each))
                    asked += 1
        frontier = further
    return _told(_each(ingredients), first.display) if ingredients else None


def find_condition(server: TerminologyServer, terms: Terms, system: str, code: str) -> ConditionCode | None:
    """The condition by one of ours above it in SNOMED CT, or by an equivalent SNOMED CT code. Raises NoAnswer."""
    if system != SNOMED:
        same = (terms.conditions.get((SNOMED, each)) for each in server.translate(system, code, SNOMED))
        known = next(filter(None, same), None)
        return replace(known, level=SERVER) if known else None
    above = [root for root in terms.roots if server.subsumes(SNOMED, root, code)]
    replaced = {terms.roots[root] for root in above}
    found = [terms.conditions[SNOMED, root] for root in above if root not in replaced]
    keys = _each(key for each in found for key in each.keys)
    return ConditionCode(keys, "", found[0].display, SERVER) if found else None


def _told(ingredients: tuple[str, ...], display: str) -> DrugCode:
    return DrugCode(ingredients, "", display, SERVER)


def _each(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
