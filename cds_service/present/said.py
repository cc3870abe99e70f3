"""Said: what a card says and on what it rests, as one fingerprint, so that the very same is known when it comes again.

Everything that its checks read is in it: another value, another date of a value, another order, another statement or
another doubt make another fingerprint. It holds patient data only as a hash, and whoever keeps it makes a mark of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

from cds_service.facts.drugs.medications import Medication, Medications
from cds_service.facts.fact import Fact
from cds_service.rules.rule import Check, Finding


def fingerprint(found: Iterable[tuple[Check, Finding]], knowledge: str) -> str:
    """Of the findings of one card, by this version of the knowledge."""
    told = [knowledge, *sorted(repr(_finding(check, finding)) for check, finding in found)]
    return hashlib.sha256("\0".join(told).encode("utf-8", "surrogatepass")).hexdigest()


def _finding(check: Check, finding: Finding) -> tuple[object, ...]:
    return (
        check.rule.id, finding.drug, finding.level.name, finding.card, finding.doubts,
        tuple(statement.id for statement in (*finding.says, *finding.mentions)),
        tuple(map(_order, finding.about)),
        tuple(sorted((_fact(fact) for fact in (*check.reads, *finding.because)), key=repr)),
    )


def _fact(fact: Fact[Any]) -> tuple[object, ...]:
    value = tuple(map(_order, fact.value.orders)) if isinstance(fact.value, Medications) else _shown(fact.value)
    return (
        fact.key.name, fact.state.name, fact.bound, value, repr(fact.when), fact.doubts, fact.why, repr(fact.rivals),
    )


def _shown(value: object) -> str:
    """The value as text, the same in every process: a set has another order in each."""
    return repr(sorted(value, key=repr) if isinstance(value, frozenset) else value)


def _order(order: Medication) -> tuple[object, ...]:
    """What matters of an order. Not its id: a draft may have another one when it is signed."""
    return (order.ingredients, order.role.name, repr(order.dose), order.route, repr(order.start), repr(order.end),
            order.doubts, order.conflict)
