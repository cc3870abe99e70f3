"""The straight line: a request goes in, cards come out, and everything in between is one function a step.

`answer` takes time, knowledge and the FHIR session as arguments. Nothing below the web and the command line reads a
clock, an environment variable or a global: a vignette, a sample and a replay run this very function.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

import msgspec

from cards import reasons
from cards.model import Card
from cards.profile import Profile
from cards.render import check_all
from cards.write import written
from cds_service.clients import Clients
from cds_service.elsewhere import FromServer, Noted
from cds_service.errors import CannotGather, KnowledgeError, SettingsError
from cds_service.facts.chart import Chart, read_chart
from cds_service.facts.demographics import PATIENT
from cds_service.facts.drugs.medications import MEDICATIONS
from cds_service.facts.genomics.tested import tests_asked
from cds_service.facts.reproduction import TESTS
from cds_service.facts.values.labs import BEDSIDE, KARNOFSKY, LABS
from cds_service.facts.values.results import Spans
from cds_service.gather.collect import AsksFhir, collect
from cds_service.gather.limits import Deadline, Limits
from cds_service.gather.query import Answered, FhirSession
from cds_service.gather.r4 import warm
from cds_service.gather.recorded import Recorded
from cds_service.gather.replies import Gathered, Status
from cds_service.gather.shelter import Shelter
from cds_service.gather.terminology import TerminologyServer
from cds_service.hooks.caller import Caller
from cds_service.hooks.request import FhirAccess, HookRequest
from cds_service.hooks.services import Moment, Service, offered
from cds_service.knowledge import topics
from cds_service.knowledge.load import Knowledge
from cds_service.knowledge.model import Level
from cds_service.knowledge.overlay import TEMPLATES
from cds_service.knowledge.snapshot import Snapshot
from cds_service.present.offered import offered_once
from cds_service.present.present import Stage, present
from cds_service.repeats import Memory, without_repeats
from cds_service.rules.catalogue import RULES
from cds_service.rules.rule import Evaluation
from cds_service.rules.running import evaluate
from cds_service.security.fhir_servers import AllowedServers
from cds_service.security.outbound import Way
from cds_service.security.tenants import Tenant
from cds_service.settings import Settings
from cds_service.tailoring import asked_for, require_known

log = logging.getLogger(__name__)
_ECG = ("qtc_fridericia", "qtc_bazett", "qtc_unspecified", "qt_interval", "rr_interval")
_DEMO_PLACE, _BESIDE_IT = "US", "EU"  # the demo tells where options stand in the second beside the first
_BELIEVED = 900.0  # seconds for which a FHIR server's CapabilityStatement is believed
_ECG_RATE = "76282-3"  # the heart rate that an ECG measured; other rates would bring every set of vital signs


@dataclass(frozen=True, slots=True)
class Observer:
    """Who is told of what happens on the line, for counting. Must be quick and raise nothing."""

    asked: Callable[[str, float, bool], object] = lambda *_: None  # the query's key, seconds, whether all of it came
    not_known: Callable[[str, str, int], object] | None = None  # "drug" or "condition", the code system, how many


@dataclass(frozen=True, slots=True)
class Gate:
    """Asks a FHIR server, if it is one that we may ask."""

    session: FhirSession
    allowed: AllowedServers
    shelter: Shelter
    asked: Callable[[str, float, bool], object] = lambda *_: None

    def refusal(self, access: FhirAccess) -> str | None:
        """Why this server may not be asked, in words; None when it may."""
        return self.allowed.refusal(access.server)

    def ask_all(self, access: FhirAccess, queries: Mapping[str, str], deadline: Deadline) -> dict[str, Answered]:
        """The answer to each query, by the deadline whatever happens."""
        answers = self.shelter.ask_all(self.session, access, queries, deadline)
        for key, answered in answers.items():
            self.asked(key, answered.seconds, answered.status is Status.COMPLETE)
        return answers

    def more_pages(self, access: FhirAccess, next_url: str, deadline: Deadline) -> Answered:
        """The pages that follow a first one."""
        return self.shelter.more_pages(self.session, access, next_url, deadline)


@dataclass(frozen=True, slots=True)
class Tools:
    """What an answer is made with: knowledge, services, a way to ask FHIR, and how the service names itself."""

    knowledge: Knowledge
    services: tuple[Service, ...]
    clients: Clients
    fhir: AsksFhir
    jurisdiction: str
    demo: bool
    public_url: str
    answer_seconds: float
    gather_seconds: float
    now: Callable[[], datetime]
    clock: Callable[[], float] = time.monotonic
    new_id: Callable[[], uuid.UUID] = uuid.uuid4
    repeats: Memory | None = None  # of cards that were answered at order-select; without one every card is shown
    why: Callable[[str, str], str] | None = None  # where the page about a card is, by its uuid and topic
    strict_all: bool = False

    @property
    def knowledge_version(self) -> str:
        """Which medicine is known."""
        return self.knowledge.version

    @property
    def knowledge_day(self) -> date:
        """Until when it was held against its sources."""
        return self.knowledge.reviewed_until

    @property
    def rules(self) -> tuple[str, ...]:
        """The ids of all rules."""
        return tuple(rule.id for rule in RULES)


@dataclass(frozen=True, slots=True)
class Answer:
    """The cards, how they came about, and for which kind of client they are written."""

    cards: tuple[Card, ...]
    evaluation: Evaluation
    request: HookRequest
    profile: Profile
    knowledge: str  # its version
    asked: Recorded  # what the FHIR server was asked and gave
    not_repeated: tuple[Card, ...] = ()  # what the same user has answered already, and was not shown again

    @property
    def body(self) -> bytes:
        """The JSON of the CDS Hooks response."""
        return msgspec.json.encode({"cards": [written(card, self.profile) for card in self.cards]})


def answer(body: bytes, service: Service, tools: Tools, caller: Caller | None = None) -> Answer:
    """The answer to one call. Raises RequestError when nobody could answer it.

    `caller` decides the form of the cards and nothing else: whoever it is, the same is read and checked. One deadline
    holds for all of it: asking the FHIR server ends within it, and a check that it does not reach is named.
    """
    deadline = Deadline(tools.answer_seconds, tools.clock)
    request = HookRequest.read(body, service)
    asked = Recorded(tools.fhir)
    within = deadline.within(tools.gather_seconds)
    gathered = collect(request, service, asked, within, strict_all=tools.strict_all)
    for note in gathered.notes:
        log.warning("not valid FHIR R4: %s", note)
    for sent, ours in service.slips(request.prefetch):
        log.warning("prefetch '%s' was passed over: it is no key of %s, which has '%s', and that was not sent",
                    sent, service.id, ours)  # fmt: skip
    now = tools.now()
    snapshot = tools.knowledge.at(now.date(), tools.jurisdiction)
    chart = read_chart(
        gathered, request.patient_id, request.selections, spans(snapshot), tools.knowledge.terms, now
    )
    tools.knowledge.terms.chart_was_read()
    blind = _without_the_patient(gathered, chart, snapshot)
    if blind and not (_is_nameless(chart, service.moment) or any(each.resources for each in gathered.replies.values())):
        raise _nothing_to_say(chart)
    evaluation = evaluate(RULES, chart, snapshot, deadline.left)
    cards = present(evaluation, snapshot, tools.knowledge.terms, _stage(service, tools, snapshot.day))
    if blind and not cards:
        raise _nothing_to_say(chart)
    repeated: tuple[Card, ...] = ()
    if tools.repeats is not None and service.moment is Moment.SIGN:
        cards, repeated = without_repeats(cards, request, caller.hospital if caller else "", tools.repeats)
    cards = offered_once(cards)
    if tools.why is not None:
        cards = tuple(replace(card, why=tools.why(card.uuid, card.source.topic.code)) for card in cards)
    return Answer(cards, evaluation, request, tools.clients.of(caller), tools.knowledge.version, asked, repeated)


def _without_the_patient(gathered: Gathered, chart: Chart, snapshot: Snapshot) -> bool:
    """Whether the patient could not be had, and no order of this call is known to be for one of our drugs.

    An EHR that answers that it has no such record (`null`, an empty Bundle) has answered: that is no failure.
    """
    reply = gathered.replies[PATIENT.name]
    if chart.get(PATIENT).value is not None or (reply.status is Status.COMPLETE and not reply.resources):
        return False
    medications = chart.get(MEDICATIONS).value
    ours = any(
        drug in snapshot.drugs for order in (medications.orders if medications else ()) for drug in order.ingredients
    )
    return not ours and not chart.unreadable_drafts


def _is_nameless(chart: Chart, moment: Moment) -> bool:
    """Whether a draft may be for any drug."""
    drafts = chart.medications
    return bool(drafts.unnamed_drafts or (drafts.unchosen_drafts and moment is Moment.SIGN))


def _nothing_to_say(chart: Chart) -> CannotGather:
    """Without the patient, and without anything else that would be worth a card."""
    return CannotGather(
        f"the patient could not be had ({chart.get(PATIENT).why}): send prefetch 'patient', or fhirServer with access "
        "to it",
        "prefetch.patient",
    )


def spans(snapshot: Snapshot) -> Spans:
    """How far apart in time values and doses still belong together, as the policy says."""
    same_ecg = snapshot.find(topics.SAME_ECG_WITHIN, "policy")
    goes_on = snapshot.find(topics.GIVEN_GOES_ON_WITHIN, "policy")
    ordered = snapshot.find(topics.ORDER_COUNTS_FOR, "policy")
    named_again = snapshot.find(topics.RELAPSE_NAMED_AGAIN_WITHIN, "policy")
    pregnant = snapshot.find(topics.PREGNANCY_LASTS, "policy")
    assert same_ecg is not None and goes_on is not None and ordered is not None
    renewed = snapshot.find(topics.RENEWED_WITHIN, "policy")
    by_name, paused = snapshot.find(topics.RENEWED_BY_NAME_WITHIN, "policy"), snapshot.find(topics.COURSE_GAP, "policy")
    assert named_again is not None and pregnant is not None
    assert renewed is not None and by_name is not None and paused is not None
    return Spans(
        same_ecg.value, goes_on.value, ordered.value, named_again.value, renewed.value, by_name.value, paused.value,
        pregnant.value,
    )  # fmt: skip


def _stage(service: Service, tools: Tools, day: date) -> Stage:
    label = "aml-cds demo" if tools.demo else "aml-cds"
    banner = (
        f"Demo mode, {tools.jurisdiction} labels, callers not authenticated: not for patient care. "
        if tools.demo
        else ""
    )
    overlay = tools.knowledge.overlay
    wording = dict.fromkeys(overlay.templates, overlay.folder / TEMPLATES) if overlay else {}
    known_again = tools.repeats is not None and service.moment is not Moment.VIEW
    tells_abroad = tools.demo and tools.jurisdiction == _DEMO_PLACE and service.moment is Moment.VIEW
    abroad = tools.knowledge.at(day, _BESIDE_IT) if tells_abroad else None
    return Stage(
        service.moment, label, banner, tools.public_url, tools.knowledge.version, tools.new_id, wording, known_again,
        abroad,
    )  # fmt: skip


def _allowed(settings: Settings) -> AllowedServers:
    listed = AllowedServers.read(",".join(settings.fhir_servers), loopback=settings.is_demo)
    return listed if settings.is_demo else replace(listed, where="fhir_servers of the tenant")


def _extended(knowledge: Knowledge, settings: Settings, way: Way) -> Knowledge:
    """The knowledge with a terminology server behind its terms, where one is set. Raises SettingsError."""
    base = settings.terminology_server
    if not base:
        return knowledge
    odd = AllowedServers((base,), loopback=False).refusal(base)
    if odd:
        raise SettingsError(f"TERMINOLOGY_SERVER: {odd}")
    elsewhere = FromServer(TerminologyServer.at(base, way), knowledge.terms, settings.terminology_hours)
    return replace(knowledge, terms=replace(knowledge.terms, elsewhere=elsewhere))


def _noted(knowledge: Knowledge, observer: Observer) -> Knowledge:
    """The knowledge whose terms tell of codes that they do not hold, where somebody wants to know."""
    if observer.not_known is None:
        return knowledge
    terms = knowledge.terms
    return replace(knowledge, terms=replace(terms, elsewhere=Noted(terms.elsewhere, observer.not_known)))


def load_tools_of_tenants(
    settings: Settings,
    tenants: Iterable[Tenant],
    shelter: Shelter | None = None,
    *,
    observer: Observer | None = None,
    repeats: Memory | None = None,
) -> dict[str, Tools]:
    """The tools of each tenant, by its issuer: its labels, its overlay, its FHIR servers."""
    found = {}
    for tenant in tenants:
        own = settings_of(settings, tenant)
        try:
            found[tenant.issuer] = load_tools(own, shelter, observer=observer, repeats=repeats, way=tenant.way)
        except KnowledgeError as fault:
            raise KnowledgeError(f"tenant '{tenant.name}', {fault}") from None
    return found


def settings_of(settings: Settings, tenant: Tenant) -> Settings:
    """The settings as they are for this tenant: what it says itself stands in them."""
    return replace(
        settings,
        jurisdiction=tenant.jurisdiction, overlay=tenant.overlay, fhir_servers=tenant.fhir_servers,
        overlay_sha256=tenant.overlay_sha256,
    )  # fmt: skip


def load_tools(
    settings: Settings, shelter: Shelter | None = None, *, observer: Observer | None = None,
    repeats: Memory | None = None, way: Way | None = None,
) -> Tools:
    """Everything that an answer needs, loaded and checked. Raises KnowledgeError or SettingsError.

    `shelter`: the one that all tools of a process share; without it these have one of their own. `observer`: who is
    told of FHIR queries and of codes that nobody knows. `repeats`: knows which cards were answered already.
    `way`: to the FHIR servers; without it that of the settings.
    """
    observer = observer or Observer()
    knowledge = Knowledge.load(overlay=settings.overlay, pinned=settings.overlay_sha256)
    may_be_critical = {rule.id: rule.worst is Level.CRITICAL for rule in RULES}
    require_known(knowledge.overlay, may_be_critical)
    knowledge = _noted(_extended(knowledge, settings, settings.way()), observer)
    terms = knowledge.terms
    bedside = (key.name for key in (*BEDSIDE, KARNOFSKY))
    codes = {
        "ecg": (*(code for key in _ECG for code in terms.codes(key)), _ECG_RATE),
        "labs": tuple(code for key in LABS for code in terms.codes(key.name)),
        "bedside": tuple(code for name in (*bedside, *TESTS) for code in terms.codes(name)),
        "genomics": (*terms.test_codes(*tests_asked(terms)), *terms.codes("cd33"), *terms.codes("cd33_of_cells")),
    }
    demo = settings.is_demo
    shelter = shelter or Shelter.of(settings.threads)
    limits = Limits(statement_seconds=_BELIEVED, keep_seconds=settings.fhir_keep_seconds)
    warm()
    try:
        check_all()
        faults = reasons.faults(may_be_critical)
    except ValueError as fault:
        raise KnowledgeError(str(fault)) from None
    if faults:
        raise KnowledgeError("; ".join(faults))
    return Tools(
        knowledge=knowledge,
        services=offered(asked_for(codes, knowledge.overlay, terms)),
        clients=Clients.load(settings, knowledge.overlay, terms.orders),
        fhir=Gate(
            FhirSession(limits, way or settings.way(), shelter.clocks),
            _allowed(settings),
            shelter,
            observer.asked,
        ),
        jurisdiction=settings.jurisdiction,
        demo=demo,
        public_url=settings.public_url,
        answer_seconds=settings.answer_seconds,
        gather_seconds=settings.gather_seconds,
        now=lambda: datetime.now(settings.time_zone),
        repeats=repeats,
        strict_all=settings.strict_all,
    )
