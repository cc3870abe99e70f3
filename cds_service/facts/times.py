"""Times as intervals: "2026-11" is a month, "2026-11-20" a day. A time without zone gets the site's zone, noted.

Every time is told in the site's zone, in which its days are counted: 1 a.m. in UTC is the evening before in New York.
In the hour that comes twice when the clocks go back it holds its offset, so that it is compared by what came first.
A leap second, which FHIR allows and no clock of ours counts, is the second before it.
"""

from __future__ import annotations

import calendar
import re
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo

import msgspec

from cds_service.truth import Truth

_FIRST_YEAR, _LAST_YEAR = 1900, 9998
_LONG_AGO = datetime(_FIRST_YEAR, 1, 1, tzinfo=UTC)
_LONGEST_DATE = 10
_DATE = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?\Z")
_LEAP_SECOND = re.compile(r"(T\d\d:\d\d):60(?:\.\d+)?")


class When(msgspec.Struct, frozen=True):
    """The interval in which something happened: both ends included, always with zone."""

    earliest: datetime
    latest: datetime
    zone_assumed: bool = False
    filed: bool = False  # only the filing is dated: it happened on that day or at any time before
    either: bool = False  # on the first or on the last of these days, and nobody says on which

    @classmethod
    def read(cls, text: str | None, zone: tzinfo) -> When | None:
        """The time written in a FHIR date, dateTime or instant; None when there is none or it cannot be read."""
        if not text:
            return None
        try:
            if not _FIRST_YEAR <= int(text[:4]) <= _LAST_YEAR:
                return None  # a placeholder for "no date", as 0001-01-01 or 9999-12-31
            written = _DATE.match(text) if len(text) <= _LONGEST_DATE else None
            if written:
                return _whole(int(written[1]), written[2], written[3], zone)
            moment = datetime.fromisoformat(_LEAP_SECOND.sub(r"\1:59", text) if ":60" in text else text)
            if moment.tzinfo is None:
                once, again = sorted(_held(moment.replace(tzinfo=zone, fold=fold)) for fold in (0, 1))
                return cls(once, again, zone_assumed=True)
            moment = _held(moment.astimezone(zone))
            moment.astimezone(UTC)  # refuses what lies outside the calendar
        except (ValueError, OverflowError):
            return None
        return cls(moment, moment)

    @classmethod
    def on(cls, day: date, zone: tzinfo = UTC) -> When:
        """That whole day."""
        return cls(_first_of(day, zone), _last_of(day, zone))

    @classmethod
    def not_after(cls, filing: When) -> When:
        """Any time until that filing: what was filed was taken before, and nobody says how long before."""
        return cls(_LONG_AGO, filing.latest, filing.zone_assumed, filed=True)

    @classmethod
    def one_of(cls, first: When, last: When) -> When:
        """The earlier or the later of two days."""
        return cls(first.earliest, last.latest, first.zone_assumed or last.zone_assumed, either=True)

    @property
    def is_moment(self) -> bool:
        """Whether the time is known to the minute."""
        return self.latest - self.earliest < timedelta(minutes=1)

    def on_or_after(self, other: When) -> Truth:
        """Whether this happened on or after the day of `other`; UNKNOWN where the intervals overlap."""
        if self.earliest.date() >= other.latest.date():
            return Truth.YES
        return Truth.NO if self.latest.date() < other.earliest.date() else Truth.UNKNOWN

    def older_than(self, days: int, now: datetime) -> bool:
        """Whether it may lie more than `days` whole days before today."""
        return (now.date() - self.earliest.astimezone(now.tzinfo).date()).days > days

    def days_ago(self, now: datetime) -> int:
        """Whole calendar days between then (its latest end, of a month that runs today) and now."""
        latest = now if self.earliest <= now < self.latest else self.latest
        return (now.date() - latest.astimezone(now.tzinfo).date()).days

    def __str__(self) -> str:
        if self.filed:
            return f"{self.latest.date().isoformat()} as filed"
        if self.either:
            return f"{self.earliest.date().isoformat()} or {self.latest.date().isoformat()}"
        if self.earliest.date() == self.latest.date():
            return self.latest.date().isoformat()
        if (self.earliest.year, self.earliest.month) == (self.latest.year, self.latest.month):
            return f"{self.latest:%Y-%m}"
        return f"{self.latest:%Y}"


def _whole(year: int, month: str | None, day: str | None, zone: tzinfo) -> When:
    if day is not None and month is not None:
        return When.on(date(year, int(month), int(day)), zone)
    first_month, last_month = (int(month), int(month)) if month else (1, 12)
    last_day = calendar.monthrange(year, last_month)[1]
    return When(_first_of(date(year, first_month, 1), zone), _last_of(date(year, last_month, last_day), zone))


def _first_of(day: date, zone: tzinfo) -> datetime:
    return _held(datetime.combine(day, time.min, zone))


def _last_of(day: date, zone: tzinfo) -> datetime:
    return _held(datetime.combine(day, time.max, zone).replace(fold=1))


def _held(moment: datetime) -> datetime:
    """The moment with its offset held, where the clock of its zone shows that time twice or never.

    Python compares two times of one zone by the clock: the second 1:15 would come before the first 1:45.
    """
    offset = moment.utcoffset()
    if offset is None or moment.replace(fold=1 - moment.fold).utcoffset() == offset:
        return moment
    return moment.replace(tzinfo=timezone(offset), fold=0)


def elapsed(since: datetime, until: datetime) -> timedelta:
    """The time that passed between two moments, whatever the clocks did in between."""
    return until.astimezone(UTC) - since.astimezone(UTC)


def spoken_age(when: When, now: datetime) -> str:
    """How long ago, as one says it: "today", "yesterday", "12 days ago"; of a month "20 to 50 days ago"."""
    days = when.days_ago(now)
    most = days if when.filed else (now.date() - when.earliest.astimezone(now.tzinfo).date()).days
    if most > max(days, 0):
        upto = "today or yesterday" if most == 1 else f"up to {most} days ago"
        return f"{days} to {most} days ago" if days > 0 else upto
    if days <= 0:
        return "today"
    return "yesterday" if days == 1 else f"{days} days ago"
