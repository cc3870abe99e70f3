"""Limits: what could not be kept is counted, feedback has a quota, a full disk is seen coming, codes are counted."""

from __future__ import annotations

import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from cds_service.beside import Light
from cds_service.errors import NotKept, TooOften
from cds_service.security.replay import SeenHere
from cds_service.settings import Settings
from cds_service.store.health import StoreHealth
from cds_service.store.quota import Quota
from cds_service.store.seen import SharedSeen
from cds_service.store.stand import stand
from cds_service.store.tables import CALL, FEEDBACK, UNKNOWN_CODE
from cds_service.store.unknown import UnknownCodes
from tests.calls import gilteritinib, request
from tests.store.conftest import CHART, NOW, Made, a_call, endings, read
from tests.store.test_ledger import told


def test_what_could_not_be_written_is_told_by_its_kind(tmp_path: Path):
    (tmp_path / "file").write_text("in the way")
    lost: Counter[str] = Counter()
    settings = Settings.load({"DATA": str(tmp_path / "file" / "data")})
    kept = stand(settings, lambda: NOW, lambda what: lost.update([what]))
    with pytest.raises(NotKept):
        kept.ledger.add("s", "", (told(),))
    kept.keeper.saw(a_call())
    kept.close()
    assert lost == {"feedback": 1, "call": 1}
    seen = SharedSeen(SeenHere(time.time), kept.store, not_stored=lambda: lost.update(["token"]))
    assert not seen.before("i", "j", time.time() + 60)
    assert lost["token"] == 1


def test_a_tenant_has_so_much_feedback_a_day_and_others_have_their_own(made: Made):
    now = [NOW]
    kept = made(FEEDBACK_PER_DAY="100")
    ledger = kept.ledger
    ledger._now = lambda: now[0]
    for _ in range(10):
        ledger.add("s", "north", tuple(told(str(uuid4())) for _ in range(10)))
    with pytest.raises(TooOften) as caught:
        ledger.add("s", "north", (told(str(uuid4())),))
    assert caught.value.retry_after == 12 * 3600
    ledger.add("s", "south", (told(str(uuid4())),))
    assert len(read(kept.store, FEEDBACK)) == 101
    now[0] += timedelta(days=1)
    ledger.add("s", "north", (told(str(uuid4())),))
    assert ledger.refused == 1


def test_what_other_workers_took_is_counted_too(made: Made):
    kept = made()
    kept.ledger.add("s", "north", tuple(told(str(uuid4())) for _ in range(5)))
    with kept.store.reading() as connection, pytest.raises(TooOften):
        Quota(5).take(connection, "north", 1, datetime(2026, 11, 21, 13, tzinfo=UTC))


def test_a_disk_that_will_soon_be_full_is_amber(made: Made):
    kept = made()
    low = StoreHealth(kept.store, kept.keeper, None, disk_low_mb=10**9)()
    if kept.store.place.file is None:
        assert low.light is Light.GREEN
    else:
        assert low.light is Light.AMBER and "MB are free" in low.words


def test_codes_that_nobody_knows_are_counted_by_week_and_system(made: Made):
    kept = made()
    for _ in range(2):
        codes = UnknownCodes(lambda: NOW)
        codes.note("drug", "RxNorm")
        codes.note("condition", "")
        codes.write(kept.store)
        codes.write(kept.store)
    rows = {(row["week"], row["kind"], row["system"]): row["times"] for row in read(kept.store, UNKNOWN_CODE)}
    assert rows == {("2026-W47", "drug", "RxNorm"): 2, ("2026-W47", "condition", "other"): 2}


def test_a_check_that_time_did_not_reach_has_that_for_its_cause(made: Made):
    from dataclasses import replace

    from cds_service.rules.rule import Evaluation, NoTimeLeft

    kept, call = made(), a_call(body=request("order-sign", gilteritinib(status="draft"), **CHART))
    checks = call.answer.evaluation.checks
    late = checks[0]._replace(outcome=NoTimeLeft(why="no time left for the check"))
    evaluation = Evaluation((late, *checks[1:]), call.answer.evaluation.chart)
    kept.keeper.saw(replace(call, answer=replace(call.answer, evaluation=evaluation)))
    assert kept.keeper.flush(15)
    assert "no time left" in {row["cause"] for row in endings(kept.store)}
    assert len(read(kept.store, CALL)) == 1
