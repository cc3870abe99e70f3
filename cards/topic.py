"""The topic of a card: a code that stands for the rule which made it, and stays for ever."""

from __future__ import annotations

TOPIC_SYSTEM = "urn:aml-cds:rule"


def topic_code(rule: str) -> str:
    """The stable code of a rule, letters and digits only: some clients tie override lock-outs to it."""
    first, *rest = rule.split("-")
    return first + "".join(part.capitalize() for part in rest)
