"""Quick: which concepts are known again, and that nobody's own words stay in memory."""

from __future__ import annotations

import msgspec
import pytest

from cds_service.gather import quick

POTASSIUM = {"system": "http://loinc.org", "code": "2823-3", "display": "Potassium"}


@pytest.mark.parametrize("concept", [
    {"coding": [POTASSIUM]},
    {"coding": [POTASSIUM], "text": "Potassium"},
    {"coding": [POTASSIUM | {"display": "Potassium [Moles/volume]"}], "text": "POTASSIUM"},
    {"coding": [{"system": "http://loinc.org", "code": "2823-3"}, POTASSIUM | {"version": "2.81"}]},
])  # fmt: skip
def test_a_concept_of_a_catalogue_is_known_again(concept):
    raw = msgspec.json.encode(concept)
    assert quick.is_known_again(raw) and raw in quick._KNOWN


@pytest.mark.parametrize("concept", [
    {"text": "relapse of Mrs Example"},
    {"coding": [POTASSIUM], "text": "drawn from Mrs Example's left arm"},
    {"coding": [{"display": "relapse of Mrs Example"}]},
    {"coding": [{"code": "", "display": "relapse of Mrs Example"}, POTASSIUM], "text": "of Mrs Example"},
    {"coding": [{"code": "", "display": "relapse of Mrs Example"}, POTASSIUM]},
    {"coding": [POTASSIUM | {"extension": [{"url": "u", "valueString": "Mrs Example"}]}]},
    {"coding": [POTASSIUM], "id": "mrs-example"},
    {"coding": [POTASSIUM | {"display": "Mrs Example " * 20}]},
    {"coding": [POTASSIUM] * 30},
])  # fmt: skip
def test_what_is_somebodys_own_is_not(concept):
    raw = msgspec.json.encode(concept)
    assert not quick.is_known_again(raw) and raw not in quick._KNOWN
