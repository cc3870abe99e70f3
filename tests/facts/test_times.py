"""Times: intervals, zones, placeholders, and what may be said of before and after."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.facts.times import When, elapsed, spoken_age
from cds_service.truth import Truth
from tests.charts import NOW

TOKYO = ZoneInfo("Asia/Tokyo")


def when(text: str) -> When:
    found = When.read(text, UTC)
    assert found is not None
    return found


@pytest.mark.parametrize(("text", "first", "last"), [
    ("2026", "2026-01-01", "2026-12-31"), ("2024-02", "2024-02-01", "2024-02-29"),
    ("2026-11-20", "2026-11-20", "2026-11-20"),
])
def test_a_date_is_the_interval_that_it_names(text: str, first: str, last: str) -> None:
    found = when(text)
    assert (found.earliest.date().isoformat(), found.latest.date().isoformat()) == (first, last)
    assert not found.is_moment


def test_a_time_without_zone_gets_the_zone_of_the_site_and_says_so() -> None:
    found = When.read("2026-11-20T08:00:00", TOKYO)
    assert found is not None
    assert found.zone_assumed
    assert found.earliest == datetime(2026, 11, 19, 23, tzinfo=UTC)


def test_a_leap_second_is_the_second_before_it() -> None:
    assert when("2016-12-31T23:59:60Z") == when("2016-12-31T23:59:59Z")
    assert when("2016-12-31T23:59:60.5+00:00") == when("2016-12-31T23:59:59Z")
    assert When.read("2016-12-31T23:60:00Z", UTC) is None


@pytest.mark.parametrize("text", ["1899-12-31", "1850-06-01T12:00:00Z", "0000-00-00", "2026-11-20T08:00:00+25:00"])
def test_what_no_living_person_could_have_had_taken_is_no_date(text: str) -> None:
    assert When.read(text, UTC) is None


NEW_YORK, HAVANA = ZoneInfo("America/New_York"), ZoneInfo("America/Havana")


def test_in_the_hour_that_comes_twice_what_came_first_is_the_earlier() -> None:
    before, again = (When.read(f"2026-11-01T{time}Z", NEW_YORK) for time in ("05:45:00", "06:15:00"))
    assert before is not None and again is not None
    assert before.latest < again.earliest
    assert again.latest - before.latest == elapsed(before.latest, again.latest) == timedelta(minutes=30)
    assert str(before) == str(again) == "2026-11-01"


def test_a_time_without_zone_that_the_clock_shows_twice_or_never_may_be_either() -> None:
    for text, first, last in (("2026-11-01T01:30:00", 5, 6), ("2026-03-08T02:30:00", 6, 7)):
        found = When.read(text, NEW_YORK)
        assert found is not None
        day = datetime.fromisoformat(text).replace(tzinfo=UTC)
        assert (found.earliest, found.latest) == (day.replace(hour=first), day.replace(hour=last))
        assert not found.is_moment


def test_a_day_with_a_midnight_that_comes_twice_begins_with_the_first() -> None:
    found = When.on(date(2026, 11, 1), HAVANA)
    assert found.earliest == datetime(2026, 11, 1, 4, tzinfo=UTC)
    assert found.earliest.date() == found.latest.date() == date(2026, 11, 1)


def test_the_hour_that_the_clocks_skip_did_not_pass() -> None:
    before, after = (When.read(f"2026-03-08T{time}Z", NEW_YORK) for time in ("06:58:00", "07:02:00"))
    assert before is not None and after is not None
    assert elapsed(before.latest, after.latest) == timedelta(minutes=4)


def test_a_time_with_zone_is_that_moment_on_the_day_of_the_site() -> None:
    found = When.read("2026-11-20T18:00:00+01:00", TOKYO)
    assert found is not None
    assert not found.zone_assumed
    assert found.earliest == datetime(2026, 11, 20, 17, tzinfo=UTC)
    assert str(found) == "2026-11-21"


def test_two_times_of_one_evening_lie_on_one_day_whatever_zone_they_are_written_in() -> None:
    new_york = ZoneInfo("America/New_York")
    ecg, relapse = (When.read(text, new_york) for text in ("2026-11-20T22:00:00-05:00", "2026-11-21T01:00:00Z"))
    assert ecg is not None and relapse is not None
    assert ecg.on_or_after(relapse) is Truth.YES
    assert (str(ecg), str(relapse)) == ("2026-11-20", "2026-11-20")


@pytest.mark.parametrize("text", [
    None, "", "yesterday", "2026-13", "2026-02-30", "20/11/2026", "2026-11-20T25:00:00Z", "0000-01-01",
])
def test_what_is_no_date_is_none(text: str | None) -> None:
    assert When.read(text, UTC) is None


@pytest.mark.parametrize("text", ["0001-01-01", "0001-01-01T00:00:00Z", "9999-12-31", "9999-12-31T23:59:59-12:00"])
def test_the_placeholders_of_databases_are_no_dates(text: str) -> None:
    assert When.read(text, UTC) is None


def test_after_a_date_known_to_the_month_only_is_unknown_within_that_month() -> None:
    relapse = when("2026-10")
    assert when("2026-11-01").on_or_after(relapse) is Truth.YES
    assert when("2026-09-30").on_or_after(relapse) is Truth.NO
    assert when("2026-10-15").on_or_after(relapse) is Truth.UNKNOWN


def test_a_result_of_the_day_of_relapse_is_on_or_after_it() -> None:
    assert when("2026-10-01").on_or_after(when("2026-10-01T17:00:00Z")) is Truth.YES


def test_exactly_so_many_days_is_not_older() -> None:
    assert not when("2026-11-06").older_than(14, NOW)
    assert when("2026-11-05").older_than(14, NOW)


def test_a_month_may_be_as_old_as_its_first_day() -> None:
    assert when("2026-11").older_than(14, NOW)


def test_a_month_that_runs_is_not_over_before_today() -> None:
    assert [when(text).days_ago(NOW) for text in ("2026-11", "2026-10", "2026-12")] == [0, 20, -41]


@pytest.mark.parametrize(("text", "spoken"), [
    ("2026-11-20", "today"), ("2026-11-19", "yesterday"), ("2026-11-08", "12 days ago"), ("2026-11-21", "today"),
    ("2026-11", "up to 19 days ago"), ("2026-10", "20 to 50 days ago"), ("2026", "up to 323 days ago"),
])
def test_an_age_is_spoken_as_in_the_clinic(text: str, spoken: str) -> None:
    assert spoken_age(when(text), NOW) == spoken


@given(st.dates(date(1900, 1, 1), date(2100, 1, 1)), st.sampled_from(["UTC", "Asia/Tokyo", "America/New_York"]))
def test_every_date_is_read_back_as_itself(day: date, zone: str) -> None:
    found = When.read(day.isoformat(), ZoneInfo(zone))
    assert found is not None
    assert str(found) == day.isoformat()


@given(st.text(alphabet="0123456789-T:Z+. ", max_size=25))
def test_no_text_is_ever_a_crash(text: str) -> None:
    found = When.read(text, UTC)
    assert found is None or found.days_ago(NOW) is not None


def test_one_of_two_days_is_spoken_as_both_and_what_lies_between_them_is_open() -> None:
    first, last = When.on(date(2026, 9, 19)), When.on(date(2026, 11, 18))
    either = When.one_of(first, last)
    assert str(either) == "2026-09-19 or 2026-11-18"
    asked = [When.on(date(2026, *day)).on_or_after(either) for day in ((9, 18), (10, 1), (11, 18))]
    assert asked == [Truth.NO, Truth.UNKNOWN, Truth.YES]
