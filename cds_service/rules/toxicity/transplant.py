"""Transplantation: drugs that stop before conditioning, and from which day after a graft they are given again."""

from __future__ import annotations

from typing import assert_never

from cds_service.facts.course import ALLOGENEIC
from cds_service.facts.diagnoses import GRAFTS, IN_RELAPSE
from cds_service.facts.disease import RELAPSE
from cds_service.facts.drugs.medications import Medication, Role
from cds_service.facts.entries import HISTORY, PROCEDURES, Entry
from cds_service.facts.fact import holds
from cds_service.facts.orders import DRAFTED, ORDERED
from cds_service.facts.times import When
from cds_service.knowledge import topics
from cds_service.knowledge.model import Level, Statement
from cds_service.quantity import Quantity
from cds_service.rules.rule import Case, Clear, NotApplicable, Outcome, rule
from cds_service.rules.signs import entries_of, keys_of
from cds_service.rules.standing import in_relapse
from cds_service.rules.subjects import Use, doubtful, uses
from cds_service.rules.treatment import started
from cds_service.truth import Truth, any_of


@rule("transplant-pause", subjects=uses(topics.TRANSPLANT_PAUSE), sources=("SAF36",), worst=Level.WARNING)
def pause_around_a_transplant(case: Case, use: Use) -> Outcome:
    """The pause around a transplantation: one that is ordered, or was done only lately.

    Asked of a drug that is ordered or taken, and whose source says when it stops for a transplantation. A warning, when
    one was done and the days have not passed after which the source lets it go on; one step lower where the entry is
    not certain. A warning too, when the conditioning before one is drafted, by a drug that is named for it or as a
    service, or runs while the drug is ordered. A line, when one is ordered, and when the drug is ordered and nobody
    says on which day one was done.

    A transplantation that this call drafts is told when it is signed, also where the drug is only taken. Drugs that
    are given for other reasons too, cyclophosphamide among them, tell of no conditioning. A start after a
    transplantation from a donor is a line where the source speaks of maintenance, unless a relapse came after it.
    Where the drug was begun before the transplantation and still runs, it is a warning.

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
        if lately or (undated and not _conditioning(case, use)):
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
                conditioning=(),
                named=False,
                pause=pause,
                after=after,
            )
        if not ((procedures.sure and history.sure) or _planned(case, use)):
            return case.blind(procedures, history, about=use.in_play)
    if _planned(case, use):
        return _before_it(case, use, pause, after)
    maintenance = _as_maintenance(case, use)
    if maintenance is not None:
        return maintenance
    ordered = case.fact(ORDERED)
    if not ordered.sure:
        return case.blind(ordered, about=use.in_play, quiet=True)  # no source asks for the orders
    return Clear("no transplantation is ordered, or was done lately")


def _before_it(case: Case, use: Use, pause: Statement[str], after: Statement[Quantity] | None) -> Outcome:
    """A transplantation is to follow: a warning where its conditioning is drafted beside the drug, or runs already."""
    drugs, services = _drugs_of_conditioning(case, use), _services_of_conditioning(case)
    named = [f"{name} ({order.role.value})" for order in drugs for name in _named(case, order)]
    conditioning = (*dict.fromkeys(named), *(f"{each} (draft)" for each in services))
    drafted = case.fact(DRAFTED)
    orders = (*use.drafts, *use.active)
    of_call = bool(keys_of(case, "transplant, as ordered") & (drafted.value or frozenset()))
    return case.fired(
        Level.WARNING if conditioning else Level.INFO,
        "transplant_pause",
        about=(*drugs, *orders),
        drug=use.drug,
        says=(pause,),
        mentions=(case.must(topics.CONDITIONING_DRUGS, "pathway"),) if drugs else (),
        deciding=doubtful(drugs, orders) if drugs else doubtful(orders),
        line=not conditioning and not of_call,
        of_call=of_call,
        entries=(),
        undated=False,
        conditioning=conditioning,
        named=bool(drugs),
        pause=pause,
        after=after,
    )


def _as_maintenance(case: Case, use: Use) -> Outcome | None:
    """Given after an allogeneic transplantation, where the source speaks of that; None where there is nothing to say.

    What is given for a relapse that came after the transplantation is no maintenance.
    """
    said = case.cite(topics.AFTER_TRANSPLANT, use.drug)
    if said is None:
        return None
    graft = case.fact(ALLOGENEIC)
    match holds(graft, bool):
        case Truth.NO:
            return None
        case Truth.UNKNOWN:
            return case.blind(graft, about=use.in_play)
        case Truth.YES:
            pass
        case other:
            assert_never(other)
    relapsed = _relapsed_since(case, graft.when, taken=bool(use.taken))
    if relapsed is Truth.YES:
        return None
    begun = started(case, use) if use.taken else None
    began_after = begun is not None and graft.when is not None and begun.on_or_after(graft.when) is Truth.YES
    runs_on = bool(use.taken) and not began_after
    doubtful_relapse = runs_on and relapsed is Truth.UNKNOWN
    return case.fired(
        Level.WARNING if runs_on else Level.INFO,
        "after_transplant",
        about=use.in_play,
        deciding=doubtful(use.in_play) if runs_on else (),
        drug=use.drug,
        because=(graft,),
        says=(said,),
        doubts=("whether a relapse came after the transplantation is not known",) if doubtful_relapse else (),
        line=not runs_on,
        graft=graft,
        said=said,
        runs_on=runs_on,
        begun=begun,
        certain=not doubtful_relapse,
    )


def _relapsed_since(case: Case, graft: When | None, *, taken: bool) -> Truth:
    """Whether a relapse came after the graft; of a drug that is taken, one counts too that is over."""
    relapse = case.fact(RELAPSE)
    told = [relapse.when] if in_relapse(case) is Truth.YES else []
    if taken:
        told += [entry.when for entry in case.fact(HISTORY).value or () if entry.status in IN_RELAPSE]
    return any_of(Truth.UNKNOWN if when is None or graft is None else when.on_or_after(graft) for when in told)


def _planned(case: Case, use: Use) -> bool:
    """Whether a transplantation, or the conditioning before one, is ordered or drafted."""
    ordered = case.fact(ORDERED).value or frozenset()
    return _conditioning(case, use) or not keys_of(case, "transplant, as ordered").isdisjoint(ordered)


def _conditioning(case: Case, use: Use) -> bool:
    """Whether the conditioning before a transplantation is drafted, or runs while the drug is drafted."""
    return bool(_drugs_of_conditioning(case, use) or _services_of_conditioning(case))


def _drugs_of_conditioning(case: Case, use: Use) -> tuple[Medication, ...]:
    """The orders of such drugs: drafts, and beside a draft of the drug those that run before any graft."""
    drafted = tuple(order for order in case.orders(Role.DRAFT) if _named(case, order))
    running = tuple(order for order in case.orders(Role.ACTIVE) if use.drafts and _named(case, order))
    return (*drafted, *(order for order in running if not _grafted_since(case, order)))


def _named(case: Case, order: Medication) -> tuple[str, ...]:
    drugs = case.must(topics.CONDITIONING_DRUGS, "pathway").value
    return tuple(name for name in order.ingredients if name in drugs)


def _grafted_since(case: Case, order: Medication) -> bool:
    """Whether a graft followed the start of that order, or may have."""
    entries = [*(case.fact(PROCEDURES).value or ()), *(case.fact(HISTORY).value or ())]
    grafts = [entry.when for entry in entries if not GRAFTS.isdisjoint(entry.keys)]
    started = order.start
    return any(when is None or started is None or when.on_or_after(started) is not Truth.NO for when in grafts)


def _services_of_conditioning(case: Case) -> tuple[str, ...]:
    drafted = case.fact(DRAFTED).value or frozenset()
    return tuple(sorted(keys_of(case, "conditioning, as ordered") & drafted))


_UNDATED = "the day of the transplantation is not known"


def _within(case: Case, entry: Entry, days: int) -> bool:
    """Whether it has a day of its own, and that less than so many days ago."""
    return entry.when is not None and not entry.noted and 0 <= entry.when.days_ago(case.now) < days


def _perhaps(case: Case, entry: Entry, days: int) -> bool:
    """Whether it may have been less than so many days ago: it has no day, or only that of its recording."""
    return entry.when is None or (entry.noted and entry.when.days_ago(case.now) < days)
