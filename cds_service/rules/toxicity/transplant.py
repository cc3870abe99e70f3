"""Transplantation: drugs that stop before conditioning, and from which day after a graft they are given again."""

from __future__ import annotations

from cds_service.facts.conditions import GRAFTS
from cds_service.facts.disease import HISTORY, PROCEDURES, Entry
from cds_service.facts.orders import ORDERED
from cds_service.knowledge import topics
from cds_service.knowledge.model import Level
from cds_service.rules.rule import Case, Clear, NotApplicable, Outcome, rule
from cds_service.rules.signs import entries_of, keys_of
from cds_service.rules.subjects import Use, doubtful, uses


@rule("transplant-pause", subjects=uses(topics.TRANSPLANT_PAUSE), sources=("SAF36",), worst=Level.WARNING)
def pause_around_a_transplant(case: Case, use: Use) -> Outcome:
    """The pause around a transplantation: one that is ordered, or was done only lately.

    Asked of a drug that is ordered or taken, and whose source says when it stops for a transplantation. A warning, when
    one was done and the days have not passed after which the source lets it go on; one step lower where the entry is
    not certain. A line, when one is ordered, and when the drug is ordered and nobody says on which day one was done.

    Engraftment, GVHD and the remission are not read, and what only follows from a transplantation is none. Procedures
    or problems that were not read whole go to the card of gaps as information.
    """
    if not (use.drafts or use.active):
        return NotApplicable("not taken now")
    pause = case.must(topics.TRANSPLANT_PAUSE, use.drug)
    after = case.cite(topics.TRANSPLANT_RESUME_AFTER, use.drug)
    orders = (*use.drafts, *use.active)
    if after is not None:
        procedures, history = case.fact(PROCEDURES), case.fact(HISTORY)
        wanted = keys_of(case, "transplant")
        entries = (*entries_of(procedures, wanted), *entries_of(history, wanted))
        grafts = tuple(entry for entry in entries if not GRAFTS.isdisjoint(entry.keys))
        lately = tuple(entry for entry in grafts if _within(case, entry, int(after.value.value)))
        undated = tuple(entry for entry in grafts if use.drafts and _perhaps(case, entry, int(after.value.value)))
        if lately or undated:
            doubts = () if any(entry.certain for entry in lately) else (lately or undated)[0].doubts
            return case.fired(
                Level.WARNING,
                "transplant_pause",
                about=orders,
                drug=use.drug,
                says=(pause, after),
                deciding=doubtful(orders),
                doubts=doubts if lately else (*doubts, _UNDATED),
                line=not lately,
                entries=lately or undated,
                undated=not lately,
                pause=pause,
                after=after,
            )
        if not (procedures.sure and history.sure):
            return case.blind(procedures, history, about=use.in_play)
    ordered = case.fact(ORDERED)
    if keys_of(case, "transplant, as ordered") & (ordered.value or frozenset()):
        return case.fired(
            Level.INFO,
            "transplant_pause",
            about=orders,
            drug=use.drug,
            says=(pause,),
            line=True,
            entries=(),
            undated=False,
            pause=pause,
            after=after,
        )
    if not ordered.sure:
        return case.blind(ordered, about=use.in_play, quiet=True)  # no source asks for the orders
    return Clear("no transplantation is ordered, or was done lately")


_UNDATED = "the day of the transplantation is not known"


def _within(case: Case, entry: Entry, days: int) -> bool:
    """Whether it has a day of its own, and that less than so many days ago."""
    return entry.when is not None and not entry.noted and 0 <= entry.when.days_ago(case.now) < days


def _perhaps(case: Case, entry: Entry, days: int) -> bool:
    """Whether it may have been less than so many days ago: it has no day, or only that of its recording."""
    return entry.when is None or (entry.noted and entry.when.days_ago(case.now) < days)
