"""What came of results: each Observation, report and specimen once, and which reader each Observation may concern.

One look at each. What an Observation may concern follows from its codes and words, and is told once for each wording;
what it holds, and whether that counts, is for the readers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from cds_service.facts.concepts import Wording, told_once, wording
from cds_service.facts.genomics.tested import genes_in, test_of
from cds_service.facts.reproduction import tells_pregnancy
from cds_service.facts.values.ecg_names import coded, qtc_words
from cds_service.facts.values.ecg_words import is_report
from cds_service.facts.values.inside import results_inside
from cds_service.facts.values.lab_names import has_standard_code, observed
from cds_service.facts.values.labs import lab_of
from cds_service.facts.values.versions import Placed, newest_versions
from cds_service.gather.replies import Gathered
from cds_service.gather.resources import Resource
from cds_service.gather.views import Observation
from cds_service.knowledge.terms import Terms

REPORTS = ("DiagnosticReport", "Specimen")


@dataclass(frozen=True, slots=True)
class Came:
    """The Observations of a call, its reports and specimens, each once; and who may contain results, by reply."""

    observations: tuple[Placed, ...]
    reports: tuple[Placed, ...]
    holders: Mapping[str, tuple[Resource, ...]]


@dataclass(frozen=True, slots=True)
class Sorted:
    """The Observations that may concern each reader, in the order in which they came."""

    labs: list[Placed] = field(default_factory=list)
    ecgs: list[Placed] = field(default_factory=list)
    genomics: list[Placed] = field(default_factory=list)
    pregnancy: list[Placed] = field(default_factory=list)


def what_came(gathered: Gathered) -> Came:
    """Everything that holds results, whichever query brought it, each once and in its newest version."""
    observations, reports = _Names(), _Names()
    holders: dict[str, list[Resource]] = {}
    for key, reply in gathered.replies.items():
        source = f"{reply.source} {reply.key}"
        for resource in reply.resources:
            if resource.type == "Observation":
                observations.add(resource, source)
                view = resource.view()
                if isinstance(view, Observation) and view.contained:
                    holders.setdefault(key, []).append(resource)
            elif resource.type in REPORTS:
                reports.add(resource, source)
                if resource.type == "DiagnosticReport":
                    holders.setdefault(key, []).append(resource)
    return Came(observations.newest(), reports.newest(), {key: tuple(found) for key, found in holders.items()})


class _Names:
    """What came by its name. Nearly every name comes once."""

    def __init__(self) -> None:
        self._first: dict[str, Placed] = {}
        self._again: dict[str, list[Placed]] = {}

    def add(self, resource: Resource, source: str) -> None:
        """Take in one that came; what has no name of its own is another one each time."""
        name = resource.reference
        if "/" not in name:
            name = f"unnamed {len(self._first)}"
        placed = (resource, source)
        if self._first.setdefault(name, placed) is not placed:
            self._again.setdefault(name, []).append(placed)

    def newest(self) -> tuple[Placed, ...]:
        """All of them in the order in which their names came first, each in its newest version."""
        if not self._again:
            return tuple(self._first.values())
        newest: list[Placed] = []
        for name, first in self._first.items():
            again = self._again.get(name)
            newest += newest_versions([first, *again]) if again else (first,)
        return tuple(newest)


def contained(gathered: Gathered, holders: Mapping[str, Iterable[Resource]]) -> tuple[Placed, ...]:
    """Every Observation inside a report or a panel, each once."""
    found: dict[str, Placed] = {}
    for key, held in holders.items():
        reply = gathered.replies[key]
        for resource in results_inside(held):
            found.setdefault(resource.reference, (resource, f"{reply.source} {reply.key}"))
    return tuple(found.values())


def sorted_out(observations: Iterable[Placed], terms: Terms) -> Sorted:
    """The Observations by whom they may concern. Most results of a chart concern nobody here."""
    found = Sorted()
    for placed in observations:
        view = placed[0].view()
        concerned = _of_result(view, terms) if isinstance(view, Observation) else _NOBODY
        if concerned is not _NOBODY:
            for reader in concerned:
                getattr(found, reader).append(placed)
    return found


_NOBODY: frozenset[str] = frozenset()
_SITES_OWN = "a site's own"  # no code that is everybody's: its method and its value may tell more


def _of_result(view: Observation, terms: Terms) -> frozenset[str]:
    """Which readers an Observation may concern, by its name and those of its components."""
    concerned = _of_name(wording(view.code, terms))
    for part in view.component or ():
        concerned |= _of_name(wording(part.code, terms))
    if _SITES_OWN not in concerned:
        return concerned
    if view.method is not None:
        concerned |= {"ecgs"}
    if view.valueString or view.valueCodeableConcept is not None or view.component:
        concerned |= {"genomics"}
    return concerned - {_SITES_OWN} or _NOBODY


@told_once
def _of_name(said: Wording) -> frozenset[str]:
    sites_own = not observed(said) and not has_standard_code(said)
    told = {
        "labs": lab_of(said) is not None,
        "ecgs": bool(coded(said)) or is_report(said) or (sites_own and bool(qtc_words(said))),
        "genomics": test_of(said) is not None or (not has_standard_code(said) and bool(genes_in(said))),
        "pregnancy": tells_pregnancy(said),
        _SITES_OWN: not has_standard_code(said),
    }
    return frozenset(reader for reader, concerned in told.items() if concerned) or _NOBODY
