"""Of the words of reports a call follows so many: beyond them nothing is told as found or as absent."""

from __future__ import annotations

import pytest

from cds_service.facts.fact import State
from cds_service.facts.genomics import conclusions
from cds_service.facts.genomics.mutations import FLT3_ITD, IDH1, NPM1
from cds_service.facts.genomics.wording import Spoken
from cds_service.facts.values import results
from cds_service.knowledge.terms import Terms
from tests.charts import Json, chart, observation

REPORT = "51969-4"


def said(text: str, when: str, name: str) -> Json:
    return observation(REPORT, when, name, valueString=text)


def test_a_report_beyond_them_leaves_its_genes_open(monkeypatch: pytest.MonkeyPatch):
    told = (
        said("NPM1 mutation detected. FLT3-ITD detected.", "2026-11-01", "g1"),
        said("FLT3-ITD not detected. IDH1 not detected.", "2026-11-10", "g2"),
    )
    whole = chart(*told)
    assert whole.get(FLT3_ITD).sure and whole.get(IDH1).sure and whole.get(NPM1).sure
    monkeypatch.setattr(results, "_MOST_PROSE", 60)
    cut = chart(*told)
    assert cut.get(NPM1).sure
    itd, idh1 = cut.get(FLT3_ITD), cut.get(IDH1)
    assert itd.value is not None and itd.value.present and not itd.sure
    assert any("a newer result is indeterminate" in doubt for doubt in itd.doubts)
    assert idh1.value is None and idh1.state is not State.ABSENT and "more text of reports" in idh1.why


def test_of_thousands_of_long_reports_only_so_much_is_followed(monkeypatch: pytest.MonkeyPatch):
    text = "FLT3-ITD, IDH1 and IDH2 not detected but NPM1 detected, KMT2A with TP53 unclear while RUNX1 positive. " * 9
    followed: list[int] = []

    def counted(words: str, terms: Terms) -> list[Spoken]:
        followed.append(len(words))
        return []

    monkeypatch.setattr(conclusions, "spoken", counted)
    chart(*[said(f"{text}{number}", "2026-11-10", f"g{number}") for number in range(500)])
    assert len(followed) > 100 and sum(followed) <= results._MOST_PROSE
