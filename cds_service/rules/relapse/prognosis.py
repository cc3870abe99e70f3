"""Prognosis: the EPI score for a first relapse, told only when all of its inputs exist. Nothing is ever filled in."""

from __future__ import annotations

from dataclasses import dataclass

from cds_service.facts.course import ALLOGENEIC, CYTOGENETICS, FIRST_REMISSION, RELAPSE_NUMBER
from cds_service.facts.demographics import AGE, years_between
from cds_service.facts.disease import DISEASE, RELAPSE, Disease
from cds_service.facts.entries import HISTORY, PROCEDURES
from cds_service.facts.times import When
from cds_service.knowledge import topics
from cds_service.knowledge.scores import points_of
from cds_service.rules.rule import Case
from cds_service.rules.signs import entries_of, keys_of


@dataclass(frozen=True, slots=True)
class Prognosis:
    """The score and its group, or what is missing for it; whether the patient is older than those it came from."""

    points: int | None
    group: str = ""
    older: bool = False
    missing: tuple[str, ...] = ()


def epi(case: Case) -> Prognosis | None:
    """The score of a first relapse; None where the disease is none."""
    if case.fact(DISEASE).value is not Disease.RELAPSED:
        return None
    number = case.fact(RELAPSE_NUMBER)
    if number.value is not None and number.value > 1:
        return None
    table = case.must(topics.EPI, "pathway").value
    months, karyotype = case.fact(FIRST_REMISSION), case.fact(CYTOGENETICS)
    at_relapse = _age_at_relapse(case)
    group = dict(table.cytogenetics).get(karyotype.value or "") if karyotype.sure else None
    parts = {
        "age at relapse": {points_of(table.age, years) for years in at_relapse},
        FIRST_REMISSION.label: {
            points_of(table.interval, each)
            for each in ((months.value.fewest, months.value.most) if months.value and months.sure else ())
        },
        CYTOGENETICS.label: set() if group is None else {group},
        "earlier transplantation": _transplanted(case, table.transplanted),
    }
    missing = tuple(name for name, points in parts.items() if len(points) != 1)
    if missing:
        return Prognosis(None, missing=missing)
    points = sum(next(iter(found)) for found in parts.values())
    return Prognosis(points, table.group(points), older=max(at_relapse) > table.oldest)


def _transplanted(case: Case, points: int) -> set[int]:
    """The points for any earlier transplantation; none where the record does not tell."""
    history, procedures = case.fact(HISTORY), case.fact(PROCEDURES)
    wanted = keys_of(case, "transplant")
    allogeneic = case.fact(ALLOGENEIC)
    found = (*entries_of(history, wanted), *entries_of(procedures, wanted))
    if (allogeneic.value and allogeneic.sure) or any(entry.certain for entry in found):
        return {points}
    return {0} if history.sure and procedures.sure and not allogeneic.value and not found else set()


def _age_at_relapse(case: Case) -> tuple[int, ...]:
    """The fewest and the most years that the patient may have had at the relapse."""
    age, relapse = case.fact(AGE).value, case.fact(RELAPSE).when
    if age is None or relapse is None:
        return ()
    if age.born is not None:
        first, last = relapse.earliest.date(), relapse.latest.date()
        if last < age.born.earliest.date():  # one of the two dates is wrong
            return ()
        oldest = years_between(age.born.earliest.date(), last)
        return years_between(age.born.latest.date(), first), min(oldest, age.oldest)  # the relapse was
    most, fewest = _years_since(relapse, case)
    return max(0, age.youngest - most), max(0, age.oldest - fewest)


def _years_since(when: When, case: Case) -> tuple[int, int]:
    today = case.now.date()
    whole = today.year - when.latest.year - ((today.month, today.day) < (when.latest.month, when.latest.day))
    earlier = today.year - when.earliest.year - (
        (today.month, today.day) < (when.earliest.month, when.earliest.day)
    )
    return max(0, earlier) + 1, max(0, whole)
