"""Diagnosed: the markers that the diagnosis of the leukaemia names, so that none of them is told as "none found".

"AML with FLT3-ITD, relapsed" is no result: nobody knows of which specimen it speaks. It is a hint, as the conclusion of
a report is, and decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterable

from cds_service.facts.diagnoses import AML
from cds_service.facts.entries import Entry
from cds_service.facts.genomics import markers, variants
from cds_service.facts.genomics.details import Detail
from cds_service.facts.genomics.results import HINT, Result
from cds_service.facts.values.newest import LONG_AGO
from cds_service.facts.values.results import Reading

BY_DIAGNOSIS = Detail("words of a diagnosis", from_text=True)


def diagnosed(entries: Iterable[Entry], reading: Reading) -> list[Result]:
    """A hint for each marker that the words of a diagnosis name, the newest first to be told.

    A gene without a change stands for all of its markers.
    """
    found: dict[str, Result] = {}
    newest = sorted(entries, key=lambda entry: (entry.when.latest if entry.when else LONG_AGO), reverse=True)
    for entry in newest:
        genes = markers.genes_in(entry.words) if AML.intersection(entry.keys) else ()
        for gene in (each for each in genes if each != markers.PML_RARA):  # that one is told with the disease
            for marker in variants.shown((gene,), entry.words, reading.terms) or markers.MARKERS_OF[gene]:
                said = f'the diagnosis of {entry.when or "no date"} says "{entry.words}", no result does'
                found.setdefault(marker, Result(marker, HINT, said, entry.when, entry.origin, told=BY_DIAGNOSIS))
    return list(found.values())
