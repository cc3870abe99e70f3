"""Governance: for the committee that answers for the rules. What fired, how cards were taken, what could not be seen.

From the store, as `aml-cds report` tells it. In demo mode the figures are made up, and the page says so.
"""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache

from flask import Blueprint, Response, abort, render_template, request
from markupsafe import Markup

from cards.reasons import reasons
from cds_service.answer import Tools
from cds_service.beside import Beside
from cds_service.errors import BadRequest, StoreError
from cds_service.knowledge.spoken import topic_words
from cds_service.pages.causes import because_words, state_words
from cds_service.pages.charts import Bar, bars
from cds_service.pages.doors import is_let_in
from cds_service.pages.made_up import made_up
from cds_service.pages.twin import as_json, json_wanted
from cds_service.reports import Asked, Judging, Report, Taken, Weekly, last_weeks, week_of
from cds_service.rules.catalogue import RULES
from cds_service.settings import Settings

WEEKS = (4, 12, 26, 52)
_TITLES = {rule.id: rule.title for rule in RULES}
_MOST_RULES = 12  # in the chart; the table has all
_MOST_WEEKS = 6  # beside each other, the newest; the CSV has all


@dataclass(frozen=True, slots=True)
class Sum:
    """Cards of one kind, together."""

    name: str
    indicator: str
    shown: int
    accepted: int
    overridden: int

    @property
    def unanswered(self) -> int:
        """Neither accepted nor overridden."""
        return max(0, self.shown - self.accepted - self.overridden)

    def share(self, part: int) -> str:
        """How many of a hundred."""
        return f"{100 * part / self.shown:.0f}%" if self.shown else "–"

    @property
    def bar(self) -> Bar:
        """As a bar."""
        parts = (("accepted", self.accepted), ("overridden", self.overridden), ("unanswered", self.unanswered))
        return Bar(self.name, parts)


def governance(settings: Settings, tools: Tools, beside: Beside) -> Blueprint:
    """The blueprint of the page."""
    page = Blueprint(
        "governance", __name__, template_folder="templates", static_folder="static", static_url_path="/pages/static"
    )
    by_id = cache(lambda: {each.id: each for each in tools.knowledge.all_statements()})
    judging = Judging(settings.report_weeks, settings.report_silent_from, settings.report_grew_times)

    @page.get("/governance")
    def look() -> str | Response | tuple[str, int]:
        """Governance: what fired, how cards were taken, what could not be seen."""
        if not is_let_in(settings.pages):
            abort(404)
        weeks, asked = _asked(tools.rules)
        try:
            told = made_up(asked, judging) if settings.is_demo else _stored(beside, asked)
        except StoreError as error:
            if json_wanted() or request.args.get("format") == "csv":
                return as_json({"error": str(error)}, 503)
            return render_template("governance_lost.html", why=str(error)), 503
        if request.args.get("format") == "csv":
            return _csv(told)
        if json_wanted():
            body = told.as_json() | {"made_up": settings.is_demo}
            return as_json(body)
        rules = _summed(told.taken, lambda each: each.topic)
        by_week = [_so_far(each, told.asked.until) for each in _summed(told.taken, lambda each: each.week)]
        return render_template(
            "governance.html",
            told=told, weeks=weeks, choices=WEEKS, rules=rules, all_rules=(*tools.rules, "gap"), judging=judging,
            last_day=told.asked.until - timedelta(microseconds=1),
            by_week=sorted(by_week, key=lambda each: each.name), roles=_summed(told.taken, lambda each: each.role),
            firings=_by_rule_and_week(told.weekly), newest=_newest(told), running=week_of(asked.until),
            total=_total(rules), spoken=_spoken,
            reason=_reason, topic_words=topic_words, state_words=state_words,
            because=lambda kept: because_words(kept, by_id()), titles=_TITLES,
            week_chart=_chart(sorted(by_week, key=lambda each: each.name), "Cards by week"),
            rule_chart=_chart(
                [replace(each, name=_spoken(each.name)) for each in rules[:_MOST_RULES]], "Cards by rule"
            ),
        )

    return page


def _asked(rules: Iterable[str]) -> tuple[int, Asked]:
    """What the address asks for. Raises BadRequest."""
    given = request.args.get("weeks", str(WEEKS[0]))
    rule, tenant = request.args.get("rule") or None, request.args.get("tenant") or None
    if given not in map(str, WEEKS):
        raise BadRequest(f"weeks: expected one of {', '.join(map(str, WEEKS))}", "http.weeks")
    if rule is not None and rule not in (*rules, "gap"):
        raise BadRequest("rule: expected the id of a rule, as /knowledge/rules lists them, or gap", "http.rule")
    until = datetime.now(UTC)
    since, _ = last_weeks(until, int(given) - 2)  # the week that runs is one of them: no bar is of a part of another
    return int(given), Asked(since, until, tenant, rule)


def _stored(beside: Beside, asked: Asked) -> Report:
    if beside.report is None:
        abort(404)
    return beside.report(asked)


def _summed(taken: Iterable[Taken], by: Callable[[Taken], str]) -> list[Sum]:
    """The most frequent first. The indicator is the most urgent one."""
    together: defaultdict[str, list[Taken]] = defaultdict(list)
    for each in taken:
        together[by(each)].append(each)
    order = ("info", "warning", "critical")
    sums = [
        Sum(
            name, max((each.indicator for each in found), key=order.index), sum(each.shown for each in found),
            sum(each.accepted for each in found), sum(each.overridden for each in found),
        )
        for name, found in together.items()
    ]
    return sorted(sums, key=lambda each: (-each.shown, each.name))


def _so_far(week: Sum, until: datetime) -> Sum:
    """The week that still runs says so: it is shorter than the others for no other reason."""
    return replace(week, name=f"{week.name} (so far)") if week.name == week_of(until) else week


def _newest(told: Report) -> list[str]:
    """The newest weeks of which there is something to tell by rule."""
    weeks = {each.week for each in told.weekly}
    weeks.update(week for why in told.reasons for week in why.weeks)
    weeks.update(week for gap in told.blind for week in gap.weeks)
    return sorted(weeks)[-_MOST_WEEKS:]


def _by_rule_and_week(weekly: Iterable[Weekly]) -> dict[str, dict[str, int]]:
    """In how many calls of each week a rule fired; the most frequent rule first."""
    calls: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for each in weekly:
        calls[each.rule][each.week] = each.calls
    return dict(sorted(calls.items(), key=lambda found: (-sum(found[1].values()), found[0])))


def _spoken(rule: str) -> str:
    return "what could not be seen" if rule == "gap" else rule


def _reason(code: str) -> str:
    """How a reason of ours is spoken; another's stands as it is."""
    ours = reasons().get(code)
    return ours.coding.display if ours else code


def _total(rules: Iterable[Sum]) -> Sum:
    found = list(rules)
    return Sum(
        "all", "info", sum(each.shown for each in found), sum(each.accepted for each in found),
        sum(each.overridden for each in found),
    )


def _chart(sums: list[Sum], title: str) -> Markup:
    return Markup(bars([each.bar for each in sums], title))  # noqa: S704 - drawn by us; the library escapes labels


def _csv(told: Report) -> Response:
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerows(told.as_rows())
    response = Response(written.getvalue(), mimetype="text/csv")
    response.headers["Content-Disposition"] = "attachment; filename=aml-cds-report.csv"
    return response
