"""Present: findings become the cards that this moment shows, calm and in order.

One card per finding; small findings stand as lines in the card about the same drug; all that could not be seen
stands in one gap card. Critical first, then the order of the catalogue.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from cards.detail import Detail, Said
from cards.model import Card, Link, Source, Suggestion
from cards.model import Coding as CardCoding
from cards.reasons import GAP
from cards.render import Safe, Words, escape, few, render
from cards.topic import TOPIC_SYSTEM, topic_code
from cds_service.facts.drugs.medications import Medication, Role
from cds_service.facts.orders import ORDERED
from cds_service.facts.times import spoken_age
from cds_service.hooks.services import Moment
from cds_service.knowledge import topics
from cds_service.knowledge.model import Level, Statement
from cds_service.knowledge.snapshot import Snapshot
from cds_service.knowledge.terms import Terms
from cds_service.present.abroad import told_abroad
from cds_service.present.actions import Maker, new_uuid
from cds_service.present.cited import links, local_first, source_lines, source_names
from cds_service.present.gaps import Gap, find_gap
from cds_service.present.overrides import Overrides
from cds_service.present.problems import Found, Problem, problems
from cds_service.present.relevance import Relevance
from cds_service.present.said import fingerprint
from cds_service.present.words import Speaker
from cds_service.rules.rule import Check, Evaluation, Finding, Fired, Proposal
from cds_service.rules.subjects import distinct

MORE = " (and {} more)"  # how a summary says that its card holds further warnings
SUMMARY_LIMIT = 140  # characters, excluded: CDS Hooks
MOST_OF_A_SUMMARY = 60  # characters of names; what is to be said of them needs the rest
MOST_NAMED = 8  # orders named on a card; a craft number, so that no card grows without end
log = logging.getLogger("aml_cds.present")


@dataclass(frozen=True, slots=True)
class Stage:
    """Where and how cards are shown: the moment, how the service names itself, and where new uuids come from."""

    moment: Moment
    label: str  # "aml-cds demo"
    banner: str  # said on every card, "" outside demo
    url: str
    version: str
    ids: Any
    wording: Mapping[str, Path] = field(default_factory=dict)  # the hospital's own templates: in which folder each lies
    fingerprints: bool = False  # whether cards carry one, as somebody wants to know them again
    abroad: Snapshot | None = None  # what holds in another place, where a card tells that beside what holds here


def present(evaluation: Evaluation, snapshot: Snapshot, terms: Terms, stage: Stage) -> tuple[Card, ...]:
    """The cards of this call."""
    relevance = Relevance(evaluation, snapshot, stage.moment)
    maker = Maker(evaluation.chart.patient_id, terms, stage.ids)
    writer = _Writer(evaluation, stage, maker, Speaker(evaluation.chart.now), Overrides(snapshot.reasons), snapshot)
    shown = _calm(
        [(check, fired.finding) for check, fired in relevance.outcomes(Fired) if relevance.shows(fired.finding)]
    )
    main = problems((check, finding) for check, finding in shown if not finding.line)
    lines = sorted((each for each in shown if each[1].line), key=lambda each: each[1].aside)
    hosts: dict[int, list[tuple[Check, Finding]]] = {}
    orphans: dict[str, list[tuple[Check, Finding]]] = {}
    for check, finding in lines:
        host = _host(finding, main)
        if host is None:
            orphans.setdefault(finding.drug, []).append((check, finding))
        else:
            hosts.setdefault(host, []).append((check, finding))
    cards = [
        writer.safely(problem.check, problem.finding, partial(writer.card, problem, hosts.get(index, [])))
        for index, problem in enumerate(main)
    ]
    cards += [
        writer.safely(*together[0], partial(writer.note, drug, together))
        for drug, together in orphans.items()
    ]
    gap = find_gap(relevance)
    if gap is not None and not (stage.moment is Moment.SELECT and gap.level is Level.INFO):
        cards.append(writer.gap(gap))
    ordered = sorted(cards, key=lambda card: -Level[card.indicator.upper()])
    return _capped(ordered, snapshot, stage.moment)


def _capped(cards: list[Card], snapshot: Snapshot, moment: Moment) -> tuple[Card, ...]:
    """At most so many cards: what is only information goes first, and the last card says how many were left out.

    What could not be seen stays, in the place of the last card that would.
    """
    limit = snapshot.find(topics.CARDS_AT_MOST, "policy", "view" if moment is Moment.VIEW else "order")
    most = max(1, int(limit.value)) if limit is not None else len(cards)
    urgent = [card for card in cards if card.indicator != Level.INFO.indicator]
    kept = cards[: max(most, len(urgent))]
    left_out = len(cards) - len(kept)
    if left_out:
        unseen = next((card for card in cards[len(kept) :] if _is_gap(card)), None)
        if unseen is not None and len(kept) > len(urgent):
            kept[-1] = unseen
        words = f"*{_further(left_out)} with information only {'is' if left_out == 1 else 'are'} not shown.*"
        detail = kept[-1].detail
        kept[-1] = replace(kept[-1], detail=replace(detail, notes=(*detail.notes, words)))
    return tuple(kept)


def _is_gap(card: Card) -> bool:
    return card.source.topic.code == topic_code(GAP)


def _further(number: int) -> str:
    return "1 further card" if number == 1 else f"{number} further cards"


def _calm(shown: list[tuple[Check, Finding]]) -> list[tuple[Check, Finding]]:
    """No counselling for the start of a drug that must wait or is in danger: it comes once that is settled.

    What is information only because of a doubt is no counselling.
    """
    stopped = {finding.drug for _, finding in shown if finding.waits or finding.level is Level.CRITICAL}
    return [
        (check, finding)
        for check, finding in shown
        if finding.level is not Level.INFO
        or finding.line
        or finding.lowered
        or finding.waits
        or finding.drug not in stopped
    ]


def _host(line: Finding, main: list[Problem]) -> int | None:
    """The card in which a line stands: about the same drug, counselling before danger, so that danger stays short."""
    same = [index for index, problem in enumerate(main) if problem.finding.drug == line.drug]
    return min(same, key=lambda index: main[index].finding.level, default=None)


@dataclass(frozen=True, slots=True)
class _Writer:
    evaluation: Evaluation
    stage: Stage
    maker: Maker
    speaker: Speaker
    overrides: Overrides
    here: Snapshot

    def safely(self, check: Check, finding: Finding, make: Callable[[], Card]) -> Card:
        """The card; where it cannot be written, a card that says so, so that the others are not lost with it."""
        try:
            return make()
        except Exception as fault:  # noqa: BLE001 - the compartment: the failure is named to the clinician
            log.error("card of rule %s failed: %s", check.rule.id, type(fault).__name__)
            words = Words(f"Found, but the card could not be written: {check.rule.title}"[:139], "")
            body = "This check found something that could not be shown. Look at the chart before going on."
            said = (Said(body, urgent=True),)
            rule, level = check.rule, finding.level
            overrides = self.overrides.of_rules([rule.id] if level is not Level.INFO else [], level)
            made = self._card(rule.id, rule.title, level, words, said, (), (), "any", (), finding.about, overrides)
            return replace(made, checks=((rule.id, check.subject),))

    def card(self, problem: Problem, lines: list[Found]) -> Card:
        self.speaker.shown.clear()
        words = self._words(problem.finding)
        more = sum(other.level > Level.INFO for _, other in problem.also)
        if more and len(words.summary) + len(MORE.format(more)) < SUMMARY_LIMIT:
            words = replace(words, summary=words.summary + MORE.format(more))
        said = [_said(words.body, problem.finding), *(_said(self._beside(*each), each[1]) for each in problem.also)]
        said += [_said(self._line(*each), each[1]) for each in lines]
        return self._made(problem.finding.level, words, said, [(problem.check, problem.finding), *lines], problem.also)

    def _beside(self, check: Check, finding: Finding) -> str:
        """A further finding about the same problem, with its own doubts; one that cannot be written is named."""
        words = self._tried(check, finding)
        if words is None:
            return _unwritten(check)
        return "\n\n".join(filter(None, (f"**{escape(words.summary)}**", words.body, _doubts([finding]))))

    def _line(self, check: Check, finding: Finding) -> str:
        """A line in the card of another finding; one that cannot be written is named.

        What begins with what was seen does not say what it is about: its headline stands before it.
        """
        words = self._tried(check, finding)
        if words is None:
            return _unwritten(check)
        return f"**{escape(words.summary)}**\n\n{words.body}" if words.body.startswith("**Seen:**") else words.body

    def _tried(self, check: Check, finding: Finding) -> Words | None:
        """What the template says; None where it cannot be written: what stands beside it is not lost with it."""
        try:
            return self._words(finding)
        except Exception as fault:  # noqa: BLE001 - the compartment: the failure is named to the clinician
            log.error("card of rule %s failed: %s", check.rule.id, type(fault).__name__)
            return None

    def note(self, drug: str, lines: list[Found]) -> Card:
        """Lines without a card of their own, together in one."""
        self.speaker.shown.clear()
        level = max(finding.level for _, finding in lines)
        words = written = self._words(lines[0][1])
        said = [_said(words.body, lines[0][1])]
        if len(lines) > 1:
            bodies = "\n\n".join([words.body, *(self._line(*each) for each in lines[1:])])
            words = self._rendered("also_note", {"drug": drug, "lines": Safe(bodies)})
            named = written.summary + MORE.format(len(lines) - 1)  # the first line names the card
            if len(named) < SUMMARY_LIMIT and "also_note" not in self.stage.wording:
                words = replace(words, summary=named)
            said = [Said(words.body, urgent=level > Level.INFO)]
        return self._made(level, words, said, lines)

    def gap(self, gap: Gap) -> Card:
        drugs = dict.fromkeys(drug for order in gap.about for drug in order.ingredients if drug in self.here.drugs)
        words = self._rendered(
            "gap",
            {
                "warning": gap.level is Level.WARNING,
                "first": gap.missing[0],
                "drugs": few(drugs, MOST_OF_A_SUMMARY),
                "more": max(0, len(gap.missing) - 1),
                "groups": [{"cause": cause, "lines": lines} for cause, lines in gap.groups],
                "stops": gap.checks,
                "ordered": gap.ordered,
            },
        )
        complete = replace(self.maker, made=set())  # the gap card closes every gap by itself
        suggestions = complete.suggestions(gap.proposals, frozenset())
        said = (Said(words.body, urgent=gap.level > Level.INFO),)
        notes = (self._perhaps_ordered(suggestions),)
        title = "What this check could not see"
        overrides = self.overrides.of_rules([GAP] if suggestions or gap.level is not Level.INFO else [], gap.level)
        return self._card(GAP, title, gap.level, words, said, notes, suggestions, "any", (), gap.about, overrides)

    def _perhaps_ordered(self, suggestions: tuple[Suggestion, ...]) -> str:
        """What is said where tests are suggested and the orders on record could not all be read."""
        creates = any(action.type == "create" for each in suggestions for action in each.actions)
        unsure = not self.evaluation.chart.get(ORDERED).sure
        return "Whether these tests are ordered already could not be read." if creates and unsure else ""

    def _rendered(self, name: str, values: Mapping[str, Any]) -> Words:
        """What the template says, in the hospital's wording where it has its own."""
        home = self.stage.wording.get(name)
        if home is None:
            return render(name, values)
        try:
            words = render(name, values, home)
            if not words.summary:
                raise ValueError("no summary")
        except Exception as fault:  # noqa: BLE001 - what the start did not find
            log.error("the hospital's wording %s failed: %s", name, type(fault).__name__)
            return render(name, values)
        return replace(words, body=f"{words.body}\n\n*Worded by this hospital.*")

    def _words(self, finding: Finding) -> Words:
        return self._rendered(finding.card, {"drug": finding.drug} | self.speaker.all(finding.values))

    def _made(
        self, level: Level, words: Words, said: list[Said], found: Iterable[Found], also: Iterable[Found] = ()
    ) -> Card:
        """A card of these findings, the deciding one first. `also`: those whose doubts are said where they stand."""
        (check, decides), *lines = found
        findings = [decides, *(line for _, line in lines)]
        every = [*findings, *(other for _, other in also)]
        ordered = self.evaluation.chart.get(ORDERED).value or frozenset()
        proposals = [proposal for finding in every for proposal in finding.proposals]
        suggestions = self.maker.suggestions(proposals, ordered)
        exclusive = _exclusive([finding.proposals for finding in every if finding.proposals])
        notes = (self._perhaps_ordered(suggestions), _doubts(findings), self._abroad(findings))
        rests = tuple(dict.fromkeys(each for finding in every for each in local_first(finding)))
        sources = tuple(dict.fromkeys((*rests, *self.speaker.shown)))
        about = distinct([order for finding in every for order in finding.about])
        overrides = self.overrides.of_findings([(check, decides), *also, *lines], level, bool(suggestions))
        rule = check.rule
        rests_on = [(each.rule.id, each.subject) for each in (check, *(c for c, _ in also), *(c for c, _ in lines))]
        card = self._card(
            rule.id, rule.title, level, words, tuple(said), notes, suggestions,
            "at-most-one" if exclusive else "any", sources, about, overrides, tuple(dict.fromkeys(rests_on)),
            links(rests),
        )  # fmt: skip
        if not self.stage.fingerprints:
            return card
        return replace(card, fingerprint=fingerprint([(check, decides), *also, *lines], self.stage.version))

    def _abroad(self, findings: Iterable[Finding]) -> str:
        """Where the options whose status here is told stand in the other place of the stage; "" without one."""
        told = [option for finding in findings for option in finding.standing]
        return told_abroad(told, self.here, self.stage.abroad) if told and self.stage.abroad is not None else ""

    def _card(
        self,
        rule: str,
        title: str,
        level: Level,
        words: Words,
        said: tuple[Said, ...],
        notes: tuple[str, ...],
        suggestions: tuple[Suggestion, ...],
        selection: str,
        sources: tuple[Statement[Any], ...],
        about: tuple[Medication, ...],
        overrides: tuple[CardCoding, ...],
        checks: tuple[tuple[str, str], ...] = (),
        linked: tuple[Link, ...] = (),
    ) -> Card:
        stage = self.stage
        foot = f"*{stage.banner}Knowledge {stage.version}. Supports, does not replace, clinical judgement.*"
        detail = Detail(said, notes, self._concerns(about), source_lines(sources), source_names(sources), foot)
        name = sources[0].sources[0].reference.short if sources else ""
        return Card(
            uuid=new_uuid(stage.ids),
            summary=words.summary,
            indicator=level.indicator,
            detail=detail,
            source=Source(
                f"{stage.label}: {name}" if name else stage.label,
                stage.url,
                CardCoding(TOPIC_SYSTEM, topic_code(rule), title),
            ),
            suggestions=suggestions,
            selection=selection,
            override_reasons=overrides,
            links=linked,
            about=tuple(order.reference for order in about if order.role is Role.DRAFT and "/" in order.reference),
            checks=checks,
        )


    def _concerns(self, about: tuple[Medication, ...]) -> str:
        """Which orders the card concerns, in plain words; orders that read alike stand once, with their number."""
        named = [
            f"{order.role.value} {escape(order.label)}"
            + ("" if order.matched_by.startswith("RxNorm") else f" (matched by {escape(order.matched_by)})")
            + self._held_for_long(order)
            for order in about
            if order.label
        ]
        each = [words if number == 1 else f"{words}, {number} orders" for words, number in Counter(named).items()]
        more = f"; and {len(each) - MOST_NAMED} more" if len(each) > MOST_NAMED else ""
        return f"**Concerns:** {'; '.join(each[:MOST_NAMED])}{more}." if each else ""

    def _held_for_long(self, order: Medication) -> str:
        """From when the order is, where it is on hold and older than an open order lasts: nothing tells of it since."""
        if order.role is not Role.ON_HOLD or order.start is None:
            return ""
        lasts = self.here.find(topics.OPEN_ORDER_LASTS, "policy")
        if lasts is None or order.start.days_ago(self.speaker.now) <= int(lasts.value.value):
            return ""
        return f" (order of {order.start}, {spoken_age(order.start, self.speaker.now)})"


def _exclusive(proposed: list[tuple[Proposal, ...]]) -> bool:
    """Whether accepting one excludes the others: where one finding would lower a dose or else remove what calls for it.

    What another finding on the card proposes is no alternative to that: another order to take back, an ECG.
    """
    dosing = [these for these in proposed if any(each.kind == "dose" for each in these)]
    return any(len(these) > 1 or len(proposed) == 1 for these in dosing)


def _unwritten(check: Check) -> str:
    return f"**{escape(check.rule.title)}:** something was found that could not be written."


def _said(text: str, finding: Finding) -> Said:
    return Said(text, urgent=finding.level > Level.INFO)


def _doubts(findings: Iterable[Finding]) -> str:
    """What makes these findings less certain, "" when nothing does."""
    every = list(findings)
    doubts = list(dict.fromkeys(doubt for finding in every for doubt in finding.doubts))
    lead = "Less certain, so shown one step lower" if any(finding.lowered for finding in every) else "Note"
    return f"**{lead}:** {escape('; '.join(doubts))}." if doubts else ""
