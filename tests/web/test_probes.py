"""The probe of the FHIR servers: amber with what to do, never red, as answers are given without them too."""

from __future__ import annotations

from cds_service.beside import Light
from cds_service.gather.breaker import FAILURES
from cds_service.gather.clocks import Clocks
from cds_service.gather.shelter import Shelter
from cds_service.web.probes import fhir_probe

BASE = "https://ehr.example.org/fhir"


def test_all_well_is_green_without_words():
    health = fhir_probe(Shelter.of(16))()
    assert (health.light, health.words) == (Light.GREEN, "")


def test_each_trouble_is_amber_with_its_words_and_names_no_server():
    shelter = Shelter.of(1)
    for _ in range(FAILURES):
        shelter.breakers.failed(BASE)
    assert [shelter.bulkhead.enter(), shelter.bulkhead.enter()] == [True, False]
    shelter.clocks.saw(BASE, "Sat, 21 Nov 2020 12:00:00 GMT")
    health = fhir_probe(shelter)()
    assert health.light is Light.AMBER and "example.org" not in health.words
    assert all(word in health.words for word in ("did not answer", "1 places", "clock"))


def test_a_clock_that_agrees_says_nothing():
    shelter = Shelter.of(16)
    assert isinstance(shelter.clocks, Clocks) and not shelter.clocks.differ
