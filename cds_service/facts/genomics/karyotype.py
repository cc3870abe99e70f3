"""Karyotype: for which group of the prognosis a result stands that is written as ISCN writes it, all of it.

Words beside the notation are not read, nor a change in another form than the plain one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from cds_service.facts.fact import Origin
from cds_service.facts.genomics import markers
from cds_service.facts.times import When
from cds_service.facts.values.counting import counting_doubts
from cds_service.facts.values.results import Reading, origin, taken
from cds_service.facts.values.versions import Placed
from cds_service.gather.views import Observation

OTHER = "other"
_PLAIN = r"(?<=,){}\([pq][\d.]+;?[pq][\d.]+\)(?=[,\[/.\s]|\Z)"  # with both bands, neither derived nor inborn


class Karyotype(NamedTuple):
    """One result. `group`: None where it is a karyotype that could not be read."""

    group: str | None
    when: When | None
    origin: Origin
    doubts: tuple[str, ...]


def read_karyotypes(observations: Iterable[Placed], reading: Reading) -> list[Karyotype]:
    """Every result whose value is a karyotype, but those that never count."""
    found: list[Karyotype] = []
    for resource, source in observations:
        seen = resource.view()
        if not isinstance(seen, Observation) or not markers.is_karyotype(seen.valueString or ""):
            continue
        view = resource.checked()
        doubts = counting_doubts(view, resource, reading) if isinstance(view, Observation) else ()
        if doubts is None:
            continue
        if isinstance(view, Observation):
            when, dated = taken(view, reading)
            text = view.valueString or ""
            told = origin(resource, source, text)
            found.append(Karyotype(group_of(text, reading), when, told, (*doubts, *dated)))
        else:
            found.append(Karyotype(None, None, origin(resource, source, ""), ()))
    return found


def group_of(text: str, reading: Reading) -> str | None:
    """The group of a karyotype; None where it names one of the changes in a form that is not read."""
    table = reading.terms.words["cytogenetics"]
    named = {text[start:end]: group for start, end, group in table.spans(text) if group != OTHER}
    if not all(re.search(_PLAIN.format(re.escape(change)), text) for change in named):
        return None
    groups = set(named.values()) or {OTHER}
    return groups.pop() if len(groups) == 1 else None
