"""What the controls of the playground offer: values, mutations, drugs, in the service's own words and codes.

Nothing here is medicine: which code an observation is read under stands in the terms, what a drug does in the
statements. The browser makes resources of it, as an EHR would.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cds_service.facts.genomics.markers import ITD, TKD
from cds_service.facts.values.labs import BEDSIDE, LABS
from cds_service.knowledge.snapshot import Snapshot
from cds_service.knowledge.terms import Terms

_RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
_PRESENCE = "presence"
_QTC = ("qtc_fridericia", "qtc_bazett", "qtc_unspecified")
# Where a value has many codes, that under which laboratories mostly send it.
_USUAL = {
    "potassium": "2823-3", "magnesium": "2601-3", "creatinine": "2160-0", "bilirubin_total": "1975-2", "wbc": "6690-2",
    "alt": "1742-6", "lvef": "10230-1", "body_weight": "29463-7",
}  # fmt: skip
_SHORT = {"ecog_ps": "ECOG"}
_LABS = ("potassium", "magnesium", "calcium_total", "creatinine", "bilirubin_total", "alt", "wbc", "platelets")
_BEDSIDE = ("lvef", "body_weight", "ecog_ps")
_MARKERS = {
    ITD: (ITD,), TKD: (TKD,), "IDH1": ("IDH1",), "IDH2": ("IDH2",), "NPM1": ("NPM1",),
    "KMT2A": ("KMT2A_rearrangement",), "TP53": ("TP53",),
}  # fmt: skip
_EFFECTS = {"cyp3a": "{} of CYP3A", "pgp": "P-gp {}", "qt": "{} QT", "acid": "{}"}


@dataclass(frozen=True, slots=True)
class Measured:
    """A value that can be set: in which prefetch entry it stands, and under which LOINC codes it is read.

    `code`: the one for a value that is new; `unit`: ours, for a new value; "" for a score.
    """

    key: str
    label: str
    query: str
    codes: tuple[str, ...]
    code: str
    unit: str


@dataclass(frozen=True, slots=True)
class Marker:
    """A mutation that can be set to present, absent or not tested."""

    name: str
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """A drug that can be ordered: its RxNorm code, where our tables hold one, and what it does, in a few words."""

    name: str
    code: str
    ours: bool
    what: str


@dataclass(frozen=True, slots=True)
class Controls:
    """Everything that can be set."""

    values: tuple[Measured, ...]
    markers: tuple[Marker, ...]
    drugs: tuple[Choice, ...]
    presence: dict[str, str]  # "system|code" of an answer: present, absent, or neither
    answers: dict[str, str]  # the LOINC codes under which present and absent are written


def controls(snapshot: Snapshot, terms: Terms) -> Controls:
    """The controls, from the tables and statements in force."""
    return Controls(
        values=(_ecg(terms), *_measured("labs", _LABS, terms), *_measured("bedside", _BEDSIDE, terms)),
        markers=tuple(Marker(name, terms.test_codes(*keys)) for name, keys in _MARKERS.items()),
        drugs=_drugs(snapshot, terms),
        presence={
            f"{system}|{code}": said for (system, code), (key, said) in terms.answers.items() if key == _PRESENCE
        },
        answers={"present": "LA9633-4", "absent": "LA9634-2"},
    )


def _ecg(terms: Terms) -> Measured:
    codes = tuple(code for key in _QTC for code in terms.codes(key))
    return Measured("qtc", "QTc", "ecg", codes, codes[0], terms.units[_QTC[0]].canonical)


def _measured(query: str, names: tuple[str, ...], terms: Terms) -> Iterator[Measured]:
    labels = {key.name: key.label for key in (*LABS, *BEDSIDE)}
    for name in names:
        codes, table = terms.codes(name), terms.units[name]
        unit = "" if table.is_score else table.canonical
        label = _SHORT.get(name, labels[name])
        yield Measured(name, label[0].upper() + label[1:], query, codes, _USUAL.get(name, codes[0]), unit)


def _drugs(snapshot: Snapshot, terms: Terms) -> tuple[Choice, ...]:
    codes = {
        drug.ingredients[0]: code
        for (system, code), drug in terms.drugs.items()
        if system == _RXNORM and drug.level == "ingredient" and len(drug.ingredients) == 1
    }
    told = {name: drug.drug_class for name, drug in snapshot.drugs.items()}
    for name, other in snapshot.precipitants.items():
        if not other.food and name not in told:
            effects = ((_EFFECTS[each.topic], each.value) for each in other.statements if each.topic in _EFFECTS)
            said = "; ".join(words.format(value) for words, value in effects)
            told[name] = f"{other.drug_class}; {said}" if said else other.drug_class
    return tuple(Choice(name, codes.get(name, ""), name in snapshot.drugs, what) for name, what in sorted(told.items()))
