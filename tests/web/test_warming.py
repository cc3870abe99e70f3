"""The made-up calls before the start: answered as any other, and by nobody's chart."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cds_service.web.warming import warm
from tests.calls import tools


def test_every_service_is_warmed_and_its_rules_run():
    answers = warm(tools())
    assert len(answers) == len(tools().services) == 3
    for made in answers:
        assert made.body and not made.evaluation.chart.unreadable_drafts
        assert not any(getattr(check.outcome, "broke", False) for check in made.evaluation.checks)
    assert all(any(check.word != "not applicable" for check in made.evaluation.checks) for made in answers)


def test_nothing_of_it_is_noted_as_unknown_or_asked():
    from cds_service.answer import Observer, load_tools
    from cds_service.settings import Settings

    told: list[object] = []
    note = lambda *said: told.append(said)  # noqa: E731
    watched = load_tools(Settings.load({}), observer=Observer(note, note))
    warm(watched)
    assert told == []


def test_one_that_fails_is_said_and_the_others_go_on(caplog: pytest.LogCaptureFixture):
    first, *_ = tools().services
    broken = replace(tools(), services=(replace(first, queries=None), *tools().services[1:]))  # type: ignore[arg-type]
    assert len(warm(broken)) == 2
    assert f"a made-up call to {first.id} before the start failed" in caplog.text
