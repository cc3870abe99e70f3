"""What a card rests on is told alike in every process, so that one worker knows the card of another."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from cds_service.present.said import _shown
from tests.calls import cards, gilteritinib, order

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("seed", ["1", "2", "3"])
def test_a_set_is_shown_in_one_order_whatever_the_seed(seed):
    names = ["ecg", "potassium", "magnesium", "lipase", "echo"]
    code = f"from cds_service.present.said import _shown; print(_shown(frozenset({names!r})))"
    done = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}, cwd=ROOT, timeout=60,
        check=True, capture_output=True, text=True,
    )
    assert done.stdout.strip() == repr(sorted(names)) == _shown(frozenset(names))


def test_a_place_in_a_source_stands_in_one_line():
    azole = order("voriconazole 200 MG Oral Tablet", "349434")
    found = cards("order-sign", gilteritinib(status="draft"), medications=[azole])
    detail = next(each["detail"] for each in found if each["summary"].startswith("Voriconazole raises gilteritinib"))
    assert detail.count("Ma and Ge 2021, FLT3 inhibitors, gilteritinib, interactions") == 1
