"""Agreement: what is refused because statements contradict each other, leave a gap, or name what is not there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations
from typing import Any

from cds_service.errors import KnowledgeError
from cds_service.knowledge.inventory import Erratum
from cds_service.knowledge.model import Citation, Precipitant, Reference, Statement
from cds_service.knowledge.therapies import Therapy


def check_statements(
    statements: Iterable[Statement[Any]],
    precipitants: Mapping[str, Precipitant],
    references: Mapping[str, Reference],
    also_cited: Iterable[Citation],
) -> None:
    """Ids are unique, references cited, what ends is followed, nothing is answered twice. Raises KnowledgeError."""
    every = [*statements, *(s for p in precipitants.values() for s in p.statements)]
    seen: set[str] = set()
    for statement in every:
        if statement.id in seen:
            raise KnowledgeError(f"statement '{statement.id}' stands twice: ids are unique")
        seen.add(statement.id)
    cited = {citation.reference.id for statement in every for citation in statement.sources}
    cited |= {citation.reference.id for citation in also_cited}
    for unused in sorted(references.keys() - cited):
        raise KnowledgeError(f"references.yaml, {unused}: nobody cites it")
    for statement in every:
        _refuse_a_gap(statement, every)
    questions: dict[tuple[str, str, str], list[Statement[Any]]] = {}
    for statement in every:
        questions.setdefault((statement.topic, statement.about, statement.qualifier), []).append(statement)
    for answers in questions.values():
        for one, other in combinations(answers, 2):
            if _disagree(one, other):
                raise KnowledgeError(
                    f"statements '{one.id}' and '{other.id}' answer the same question differently: "
                    "let one of them say which it settles, and why"
                )


def also_cited(therapies: Mapping[str, Therapy], errata: Mapping[str, Erratum]) -> Iterator[Citation]:
    """What therapies and errata cite beside the statements."""
    for therapy in therapies.values():
        yield from therapy.sources
    for erratum in errata.values():
        yield from erratum.sources


def check_errata(therapies: Mapping[str, Therapy], errata: Mapping[str, Erratum]) -> None:
    """Every erratum that a therapy or its evidence names stands in errata.yaml. Raises KnowledgeError."""
    for therapy in therapies.values():
        named = {*therapy.errata, *(name for each in therapy.evidence for name in each.errata)}
        for unknown in sorted(named - errata.keys()):
            raise KnowledgeError(f"therapy '{therapy.id}': erratum {unknown} is not in errata.yaml")


def _refuse_a_gap(ended: Statement[Any], every: Iterable[Statement[Any]]) -> None:
    """A statement that ends needs a successor from that day on, wherever it held, or words why it was withdrawn."""
    if ended.until is None or ended.withdrawn:
        return
    question = (ended.topic, ended.about, ended.qualifier)
    covered = {
        place
        for other in every
        if other is not ended
        and (other.topic, other.about, other.qualifier) == question
        and other.in_force(ended.until)
        for place in other.jurisdictions
    }
    if not ended.jurisdictions <= covered:
        raise KnowledgeError(
            f"statement '{ended.id}' ends on {ended.until} and none follows it: "
            "add its successor, or say with 'withdrawn:' why nothing holds any more"
        )


def _disagree(one: Statement[Any], other: Statement[Any]) -> bool:
    if not one.jurisdictions & other.jurisdictions:
        return False
    together = (one.until is None or other.effective < one.until) and (
        other.until is None or one.effective < other.until
    )
    return together and other.id not in one.settles and one.id not in other.settles
