"""Panels: which genes a report says that it covered, so that no variant of one is a negative of it.

That is earned only where every result that the report names came and could be read. Sequencing of a gene finds no
rearrangement, and may miss an internal tandem duplication.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from cds_service.facts.genomics import markers
from cds_service.facts.genomics.details import keys_of
from cds_service.facts.genomics.heard import partners
from cds_service.facts.genomics.said import Said
from cds_service.facts.genomics.specimens import Sheet, local
from cds_service.facts.genomics.wording import ABSENT
from cds_service.facts.values.results import COUNTING, NEVER, Reading
from cds_service.gather.views import Observation

REGION = "region_studied"
MAY_MISS = "sequencing of the gene may miss a duplication"
_NOT_BY_SEQUENCE = frozenset({markers.REARRANGEMENT})
_ONLY_PARTS = frozenset({"ranges_examined", "region_description"})


@dataclass(slots=True)
class Panel:
    """A report as a panel: what it names, what of it came, which genes it covered and what it says of markers."""

    sheet: Sheet
    came: set[str] = field(default_factory=set)
    genes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    told: list[tuple[str, str]] = field(default_factory=list)  # each marker, and what a result says of it
    spoilt: bool = False

    def met(self, name: str) -> None:
        """One of its results came."""
        self.came.add(name)

    def cover(self, view: Observation, reading: Reading) -> None:
        """Take in the genes of a region that was studied; one that does not count covers nothing."""
        if REGION not in keys_of(view.code, reading.terms) or view.dataAbsentReason is not None:
            return
        if view.status in NEVER:
            return
        keys = {key for part in view.component or () for key in keys_of(part.code, reading.terms)}
        named = {each for part in view.component or () for each in _words(part.code)}
        doubts = () if view.status in COUNTING else ("the region studied is not final",)
        if any("uncall" in each for each in named):
            return
        if keys & _ONLY_PARTS or any("range" in each or "coverage" in each for each in named):
            doubts = (*doubts, "only parts of the gene were examined")
        for gene in partners(view, reading):
            self.genes[gene] = doubts

    def knows(self, view: Observation, reading: Reading) -> bool:
        """Whether a result that is none of our tests is known to be none of a variant: a region, another test."""
        coded = {word for each in (view.code.coding if view.code else None) or () for word in (each.code,) if word}
        keys = keys_of(view.code, reading.terms)
        return bool(keys) or any(word.endswith("-implication") for word in coded)

    @property
    def whole(self) -> bool:
        """Whether every result that the report names came and could be read."""
        wanted = {local(each.reference or "") for each in self.sheet.view.result or ()}
        inside = {name.rpartition("#")[2] for name in self.came if "#" in name}
        return not self.spoilt and all(
            name in self.came or (name.startswith("#") and name[1:] in inside) for name in wanted
        )


def _words(concept: object) -> list[str]:
    coding = getattr(concept, "coding", None) or ()
    return [word.lower() for each in coding for word in (each.code or "", each.display or "")]


def covered(panel: Panel) -> list[Said]:
    """The markers of the genes that were covered and of which no result of the report speaks."""
    if not panel.whole:
        return []
    found: list[Said] = []
    spoken_of = {marker for marker, _ in panel.told}
    for gene, doubts in panel.genes.items():
        for marker in markers.MARKERS_OF.get(gene, ()):
            if marker in spoken_of or marker in _NOT_BY_SEQUENCE:
                continue
            unsure = (MAY_MISS,) if marker == markers.ITD else ()
            found.append(Said(marker, ABSENT, f"{gene} covered, no variant reported", (*doubts, *unsure)))
    return found
