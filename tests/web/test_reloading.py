"""Reload by SIGHUP: each answer comes from exactly one set, a bad set is refused and the good one kept."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from cards import kept
from cds_service.beside import Light
from cds_service.errors import KnowledgeError
from cds_service.knowledge.overlay import Overlay
from cds_service.web.reloading import Reloads
from tests.faults.reload import broken, reloaded, sound, under_traffic
from tests.fhir_server.running import Running, started

pytestmark = pytest.mark.processes

FULL = os.environ.get("FAULTS") == "full"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return sound(tmp_path / "ours", 1)


@pytest.fixture
def running(folder: Path) -> Iterator[Running]:
    with started(WORKERS="2", THREADS="4", OVERLAY=str(folder)) as service:
        yield service


def test_reloads_under_traffic_drop_no_call_and_mix_no_sets(running, folder):
    figures = under_traffic(running, folder, reloads=50 if FULL else 2, callers=8 if FULL else 3)
    assert figures.wrong == [] and figures.calls > 20
    assert figures.versions >= 2 and figures.refused >= 1
    assert not FULL or figures.grown < 10, figures.memory


def test_a_reload_of_an_overlay_that_is_not_the_pinned_one_is_refused(folder):
    with started(WORKERS="1", OVERLAY=str(folder), OVERLAY_SHA256=Overlay.read(folder).digest) as running:
        good = running.get("/readyz")[1]["knowledge"]
        for number, refused in ((2, True), (1, False)):
            sound(folder, number)
            reloaded(running)
            ready = running.get("/readyz")[1]
            assert ready["knowledge"] == good
            assert ("expected the digest" in ready["parts"]["knowledge"]["words"]) is refused


def test_what_is_refused_is_told_with_file_key_and_reason_until_a_good_set_comes():
    reloads = Reloads()

    def bad() -> None:
        raise KnowledgeError("values.yaml, values[0]: there is no topic 'qtc-hodl'")

    assert reloads.renewed(bad) is None  # type: ignore[arg-type]
    assert reloads.health().light is Light.AMBER and "qtc-hodl" in reloads.health().words
    app = object()
    assert reloads.renewed(lambda: app) is app  # type: ignore[arg-type, return-value]
    assert (reloads.health().light, reloads.taken) == (Light.GREEN, 1)


def test_whatever_breaks_a_reload_does_not_break_the_service_and_shows_no_value():
    def broken_off() -> None:
        raise PermissionError("/secret/place")

    reloads = Reloads()
    assert reloads.renewed(broken_off) is None  # type: ignore[arg-type]
    assert "PermissionError" in reloads.refused and "secret" not in reloads.refused


def test_what_was_kept_is_taken_back_when_the_new_is_no_good():
    read = []
    one = kept.Kept(lambda: read.append(1) or len(read))
    assert one() == one() == 1
    with pytest.raises(KnowledgeError), kept.afresh():
        assert one() == 2
        raise KnowledgeError
    assert one() == 1
    with kept.afresh():
        assert one() == 3
    assert one() == 3


def test_a_broken_overlay_is_one_that_does_not_start(tmp_path):
    assert broken(tmp_path / "ours", 3).is_dir()
