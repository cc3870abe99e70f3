"""Codes: what the code of a drug, a condition or a service stands for."""

from __future__ import annotations

from dataclasses import dataclass

Code = tuple[str, str]
VARIANT = "variant"  # the code of a Genomics Reporting variant
LOCAL, SERVER = "local", "terminology server"  # levels of codes that our own tables do not hold


@dataclass(frozen=True, slots=True)
class DrugCode:
    """What a drug code stands for: its ingredients, its route, and the strength its name states."""

    ingredients: tuple[str, ...]
    route: str
    display: str
    level: str


@dataclass(frozen=True, slots=True)
class ConditionCode:
    """What a condition or procedure code stands for: our keys, and the disease status it states, if any."""

    keys: tuple[str, ...]
    status: str
    display: str
    level: str = ""  # where it is told, when not in our own tables


@dataclass(frozen=True, slots=True)
class OrderPanel:
    """A panel of tests that may be ordered: the tests in it that can also be proposed by themselves."""

    key: str
    code: Code | None
    covers: frozenset[str]


@dataclass(frozen=True, slots=True)
class OrderCode:
    """A test or service that can be proposed: a coding, or text alone."""

    key: str
    codings: tuple[tuple[str, str, str], ...]
    text: str
