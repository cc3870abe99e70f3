"""Conditions: what the codes and words of an entry of the problem list or of the procedures mean, and its status.

That follows from what is written and from our tables alone, so it is kept. Codes decide; words help where no code does.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from cds_service.facts.abbreviations import MAY_BE_AML, abbreviated
from cds_service.facts.about_others import OTHERS, doubts_of_another, told_of_others, without
from cds_service.facts.clauses import NEAR, NEARBY
from cds_service.facts.concepts import Wording, codes, is_of_catalogue, shortened, texts_of, told_once, wording
from cds_service.facts.concepts import text as spoken
from cds_service.facts.denials import DENIES_AHEAD, REFUTES_AHEAD, is_denied, is_refuted
from cds_service.facts.diagnoses import AML, IN_RELAPSE, IN_REMISSION, LEUKAEMIA, disagree
from cds_service.facts.left_open import told_and_open
from cds_service.gather.views import CodeableConcept
from cds_service.kept import as_written
from cds_service.knowledge.codes import SERVER, Code, ConditionCode
from cds_service.knowledge.terms import Terms
from cds_service.knowledge.words import Span

_NEVER = frozenset({"refuted", "entered-in-error"})
_OVER = frozenset({"inactive", "resolved"})
_UNCERTAIN = {
    "unconfirmed": "unconfirmed, not certain",
    "provisional": "provisional, not certain",
    "differential": "differential diagnosis, not certain",
}
_UNVERIFIED = "its verification cannot be read, not certain"  # it may say that the entry is refuted


@dataclass(frozen=True, slots=True)
class Meaning:
    """What the codes and words of an entry say."""

    keys: tuple[str, ...]
    status: str  # of the disease, where they state it
    notes: tuple[str, ...]  # how the keys were told
    doubts: tuple[str, ...]  # a doubt where the words of a coded entry say that it is only thought of
    words: str
    is_named: bool  # whether it has words or a code at all
    past: bool = False  # whether its words alone tell it, and tell it of the past
    left_open: tuple[str, ...] = ()  # what its words name beside that and say cannot be excluded
    within_remission: bool = False  # it is a molecular relapse, in a remission of marrow and blood
    earlier: tuple[str, ...] = ()  # what its words tell of the past beside what is now: "AML, history of torsades"


# What the words around a name may make of it, as the table of words tells it, and where they deny it.
_PAST, _NOT_CERTAIN = "past", "not certain"
_TO_RULE_OUT, _NOT_YET = "to be ruled out", "not yet"  # of what follows: what stands before is told
BY_ITS_WORDS = "by its words not certain"
_BY_A_RELATIVE = "by its words told of a relative, not certain"
CODE_AND_WORDS = "its code and its words disagree, not certain"
OF_RESIDUAL = "by its words a relapse of measurable residual disease and no other, not certain"
_MOST_NAMES = 200  # of one thing in one text: nobody denies it more often
_TOLD_AS_PAST = re.compile(rf"[\s:]*{NEAR}")  # between "history of" and a name
_LAST = re.compile(r"[\s).,]*(?:[;|\n]|\Z)")  # a hedge that stands last speaks of what is before it: "PRES suspected"
_KIND_OF_CONCEPT = re.compile(r" \((?:disorder|finding|procedure|situation|morphologic abnormality|event)\)\Z")
_WITHIN_A_TEXT = re.compile(r"[\w,]\s+\Z")
_A_NOUN = re.compile(r"(?:,|\s+u\.|\s*/)\s*[A-ZÄÖÜ][a-zäöüß]")
_NOT_NOW = re.compile(
    r"\b(?:no|not|without|never|no longer|not yet|after|following|from|post|lost|loss of|end of|until|previous\w*"
    r"|formerly|prior|earlier|history of|to achieve|to reach|aim\w*(?: for)?|goal|nach|aus|ohne|keine?|nie|nicht"
    r"|nicht mehr|après|depuis|perte de|sans|pas de|tras|después de|sin|dopo|senza|na|geen|zonder|após|sem|não|plus en)"
    r"\b:?\s+"
    r"(?:(?:an?|the|any|his|her|first|second|third|1st|2nd|3rd|initial|brief|short|long|prolonged|complete"
    r"|full|been|yet"
    r"|une|una|la|le|sa|première|deuxième|primera|segunda|prima|seconda|eerste|tweede|primeira"
    r"|currently|h(?:a?)ematologic\w*|morphologic\w*|molecular|erste[rn]?|zweite[rn]?|komplette[rn]?)\s+){0,3}\Z",
    re.IGNORECASE,
)
_NOT_KEPT = re.compile(
    r"[\s,:-]*+(?:(?:was|is|has been)\s*+)?(?:lost|not (?:yet )?(?:reached|achieved|attained)|until|till|bis|lasting"
    r"|lasted|duration|nicht erreicht|non (?:obtenue|atteinte|raggiunta|ottenuta)|no (?:alcanzada|obtenida|lograda)"
    r"|niet (?:bereikt|behaald)|não (?:alcançada|atingida|obtida))\b",
    re.IGNORECASE,
)
# A relapse that the words before it, or right behind it, deny in another language: "no hay datos de recaída".
_NO_RELAPSE = re.compile(
    r"\b(?:no|non|não|pas|sin|sans|senza|sem|geen|niet|zonder|kein\w*|ohne|nicht|aucune?|nessun[ao]?|libre"
    r"|libera?|livre"
    r"|vrij|frei|free|indemne|exempte?|negative? (?:for|für))(?:\s+|['’])"
    r"(?:(?:signs?|molecular|molekular\w*|moleculaire?|mrd|h(?:a|ä|e)?matolog\w*|overt|frank|morpholog\w*"
    r"|early|late|new|clinical"
    r"|klinisch\w*|extramedull?\w*|extramedulläre[ns]?|cns|zns|isolated|isolierte\w*|signes?|segn[io]|signos?"
    r"|sinais|evid\w+|datos|indicios|él[ée]ments?|arguments?|tekenen|aanwijzing\w*|hinweis\w*"
    r"|anhalt|anzeichen|zeichen|nachweis|verdacht|faveur|favor\w*|hay|se|si|há|on|of|de|del|d|di|da|do|van|von"
    r"|voor|op|en"
    r"|une?|een|eine[srnm]?|la|el|le|il|clinic\w+|auf|für|mention|mención|menzione|menção|vermelding)(?:\s+"
    r"|['’])){0,7}\Z",
    re.IGNORECASE,
)
_NO_MENTION = re.compile(
    r"\b(?:sans mention d\w*|sin mención de(?:\s+\w+)?|senza menzione di|zonder vermelding van|sem menção de)\s+\Z",
    re.IGNORECASE,
)
_NOT_SHOWN = re.compile(
    r"[\s,:-]*+(?:not confirmed|non (?:confirm[ée]+|confermat[oa]|retrouvée?)|no confirmad[oa]|não confirmad[oa]"
    r"|niet (?:aangetoond|bevestigd)|nicht (?:bestätigt|nachgewiesen|nachweisbar))\b",
    re.IGNORECASE,
)
_EARLIER = re.compile(  # a molecular relapse that went before this one
    r"\b(?:previous\w*|prior|earlier|former\w*|preceded by|history of|after|following)\s+(?:a\s+|an\s+|the\s+)?\Z",
    re.IGNORECASE,
)
_WITHIN = re.compile(  # what may stand between a remission and the molecular relapse in it
    r"[\s,;:.()/+–-]*(?:(?:but|with|now|current|currently|and|new|mit|jetzt|aktuell|aber|und|neue[rsn]?|avec|mais|et"
    r"|con|pero|y|ma|e|met|maar|en|com|mas|an?|eine?[mn]?|une?|una?|isolated|first|second|1st|2nd)[\s,:]+)*",
    re.IGNORECASE,
)
_FEARED = re.compile(  # not by "high risk relapsed AML"
    r"\b(?:risk\s+(?:of|for)\s+|(?:monitor\w*|surveillance|watch\w*|screen\w*)\s+for\s+"
    r"|(?:risiko|überwach\w*)\s+(?:auf|für|(?=eine[rs]\s))\s*"
    r"|(?:risque|surveillance|riesgo|rischio|risico|risco)\s+(?:de|di|do|van|op)\s+|risque\s+d['’]\s*)"
    r"(?:(?:an?|the|eine?[nsr]?|une?|una?|een|early|late)\s+){0,2}"
    r"(?:(?:molec\w+|molek\w+|moléc\w+|mrd)[\s-]+)?\Z",
    re.IGNORECASE,
)
_OF_THE_LEUKAEMIA = re.compile(r"(?:relapsed|recurrent|refra|réfra|rezidivierte)(?!\w*\s+disease)", re.IGNORECASE)
_TREATED = re.compile(  # a molecular relapse that is over
    r"[\s,:(]*(?:[\d./-]+[\s,)]*)?(?:(?:was|in|successfully|since)\s+)?(?:treated|resolved|cleared|behandelt|traitée?"
    r"|tratad[oa]|trattat[oa]|behandeld)\b",
    re.IGNORECASE,
)
_AFTER = re.compile(  # it stands before one that is over; "na recaída" is in it
    r"\b(?:nach|z\.?\s?n\.?|s/p|status post|st\.?\s?p\.?|post|après|tras|después de(?:l| una?)?|dopo"
    r"|na(?=\s+een\s)|após|depois de|behandelte[mnrs]?|treated|resolved|cleared)\s+"
    r"(?:an?\s+|eine[mnr]\s+|une\s+|una\s+|een\s+|uma\s+)?\Z",
    re.IGNORECASE,
)
_CLEARED = re.compile(  # behind it, and of today: "MRD relapse 2024, now MRD negative"
    r"\b(?:now|currently|since|again|jetzt|aktuell|seither|wieder|actuellement|ahora|ora|adesso|nu|agora)\s+"
    r"(?:mrd|molec\w+|molek\w+|moléc\w+)[\s-]*+(?:again\s+|wieder\s+)?"
    r"(?:neg|négat|undetect|nicht nachw)(?!\w*\s+(?:for|für)\b)",
    re.IGNORECASE,
)
_LOOKED_AT = re.compile(  # "relapse (molecular studies: ...": what was looked at, not what relapsed
    r"(?:(?<=molecular)|(?<=mrd))\s+(?:stud|profil|test|analys|panel|genetic|marker|result|data|work-?up"
    r"|patholog|diagnos"
    r"|finding|pending)",
    re.IGNORECASE,
)
@dataclass(frozen=True, slots=True)
class _Known:
    """What our tables say of a concept, and the codes that they do not hold."""

    meaning: Meaning
    unlisted: tuple[Code, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """What the clinical and the verification status of an entry come to."""

    never: bool  # refuted, or entered in error
    over: bool
    disease: str  # relapse or remission, where the clinical status says so
    doubts: tuple[str, ...]


def standing_of(clinical: CodeableConcept | None, verification: CodeableConcept | None, terms: Terms) -> Standing:
    """How an entry of the problem list stands, as its two statuses say."""
    kept = terms.kept("standings")
    coded = (clinical is None or is_of_catalogue(clinical)) and (verification is None or is_of_catalogue(verification))
    said = (wording(clinical, terms), wording(verification, terms))
    written = said if coded else as_written(clinical, verification)
    known: Standing | None = kept.get(written)
    if known is None:
        texts = (*texts_of(clinical), *texts_of(verification))
        known = kept.keep(written, _stands(clinical, verification, terms), *texts)
    return known


def _stands(clinical: CodeableConcept | None, verification: CodeableConcept | None, terms: Terms) -> Standing:
    stated, verified = _said(clinical, terms), _said(verification, terms)
    either = {*stated, *verified}
    doubts = tuple(words for status, words in _UNCERTAIN.items() if status in verified)
    if verification is not None and not {"confirmed", *_UNCERTAIN} & {*verified}:
        doubts += (_UNVERIFIED,)
    disease = next((code for code in stated if code in IN_RELAPSE | IN_REMISSION), "")
    return Standing(bool(either & _NEVER), bool(either & _OVER), disease, doubts)


def _said(status: CodeableConcept | None, terms: Terms) -> tuple[str, ...]:
    """The codes of a status, and its words where it comes without codes."""
    return (*(code.lower() for _, code in codes(status, terms)), spoken(status).strip().lower())


def meaning_of(concept: CodeableConcept | None, terms: Terms) -> Meaning:
    """What the concept of an entry means, by our tables and where they do not hold a code by a terminology server."""
    said = wording(concept, terms)
    known = _listed(said)
    told = terms.conditions_elsewhere(known.unlisted) if terms.elsewhere else None
    return _meant(said, told) if told else known.meaning


@told_once
def _listed(said: Wording) -> _Known:
    unlisted = tuple(code for code in said.codes if said.terms.listed_condition(*code) is None)
    return _Known(_meant(said, {}), unlisted)


def _meant(said: Wording, elsewhere: Mapping[Code, ConditionCode]) -> Meaning:
    terms = said.terms
    words, left_open = told_and_open(said.words, terms.words["condition"].spans)
    keys: list[str] = []
    status = told = ""
    for code in said.codes:
        found = terms.listed_condition(*code) or elsewhere.get(code)
        if found is not None:
            keys += found.keys
            status = status or found.status
            by = f", by the {found.level}" if found.level == SERVER else ""
            told = told or f"{terms.spoken_system(code[0])} {code[1]}{by}"
    hedges = [span for span in terms.words["doubtful"].spans(words) if span[2] and span[2] != _PAST]
    theirs = told_of_others(words, hedges)
    hedges = [span for span in hedges if span[2] not in OTHERS]
    thought_of = {span[2] for span in {*hedges} - doubts_of_another(words, hedges, terms)}
    own, own_said = without(words, theirs), without(said.words, theirs)
    unsure, past = bool(thought_of & {_NOT_CERTAIN, _TO_RULE_OUT}) or "?" in words, False
    unsure = unsure or (words is not said.words and _is_open(said, left_open))
    beside: list[str] = []
    in_words = not keys
    until = _told_until(words, hedges) if in_words else (len(words), len(words))
    now, before, beside = _named(own, terms, until, left_open)
    if any(system in terms.standard_systems for system, _ in said.codes):  # it tells what the abbreviation means
        now = [key for key in now if key != MAY_BE_AML]
    if before and not (now or keys) and set(before) & AML and _stated(own_said, terms) in IN_RELAPSE:
        now, before, unsure = before, [], True  # "history of AML, now relapsed" is no history
    if keys and not _is_active(_stated(own_said, terms)):  # "History of AML" beside the code of another thing
        before = [key for key in before if key not in LEUKAEMIA]
    if unsure and {*keys, *now} & AML:  # "AML, initially suspected APL" is AML
        now = [key for key in now if key != "apl"]
    alone = not (keys or now or before)
    unsure = unsure or bool(beside and (alone or set(beside) & set(keys)))
    now = beside if alone else now
    told = told or ("its words" if now or before else "")
    past = bool(before) and not (keys or now)
    doubts: tuple[str, ...] = (BY_ITS_WORDS,) if unsure else ()
    doubts += (_BY_A_RELATIVE,) if theirs and _is_of_others(said, keys) else ()
    earlier = [key for key in before if key not in (*keys, *now) and key not in LEUKAEMIA] if now else []
    keys += now or before
    residual = _of_residual(keys, words, terms)
    coded_remission = status in IN_REMISSION and bool(residual and _begun(said.text, terms))
    within = bool(residual) and _is_within_remission(said.text, terms)
    told_state = "relapsed" if within else ""
    if status in ("", "active_no_remission") and set(keys) & AML and not (in_words and unsure):
        status = told_state or _stated(own_said, terms) or status
    elif disagree(status, told_state := told_state or _stated(said.text, terms)):  # a relapse where nobody can tell
        doubts += () if coded_remission and told_state in IN_RELAPSE else (CODE_AND_WORDS,)
        status = status if status in IN_RELAPSE else told_state
    doubts += residual
    return Meaning(
        tuple(dict.fromkeys(keys)),
        status,
        (f"told by {told}",) if told else (),
        doubts,
        shortened(said.text or _spoken(said, elsewhere)),
        bool(words or said.codes),
        past,
        tuple(dict.fromkeys(key for key in beside if key not in keys)),
        bool(residual) and status in IN_RELAPSE and (coded_remission or within),
        tuple(dict.fromkeys(earlier)),
    )


def _spoken(said: Wording, elsewhere: Mapping[Code, ConditionCode]) -> str:
    """What our tables call a code that came without words, with the code; first the one that states a state.

    A code that they do not hold is told as it came.
    """
    found = [(said.terms.listed_condition(*code) or elsewhere.get(code), code[1]) for code in said.codes]
    named = [(each.display, bool(each.status), code) for each, code in found if each is not None and each.display]
    if not named:
        return ", ".join(dict.fromkeys(code for _, code in said.codes))
    display, _, code = max(named, key=lambda each: each[1])
    return f"{_KIND_OF_CONCEPT.sub('', display)} ({code})"


def _of_residual(keys: list[str], words: str, terms: Terms) -> tuple[str, ...]:
    """The doubt where the words tell of a molecular or MRD relapse of AML, and of none in marrow or blood."""
    spans = terms.words["relapse of residual disease"].spans(words) if AML.intersection(keys) else ()
    overt = any(value == "overt" for _, _, value in spans)
    return (OF_RESIDUAL,) if not overt and any(_is_residual(words, start, end) for start, end, _ in spans) else ()


def _is_residual(words: str, start: int, end: int) -> bool:
    before = max(0, start - NEARBY)
    ahead = (DENIES_AHEAD, _EARLIER, _FEARED)
    if any(each.search(words, before, start) for each in ahead) or is_refuted(words, end):
        return False
    return not _LOOKED_AT.match(words, end)


def _is_within_remission(words: str, terms: Terms) -> bool:
    """Whether a molecular or MRD relapse that has not ended is told right behind a remission, as it comes in one."""
    ends = [end for _, end, state in terms.words["state"].spans(words) if state in IN_REMISSION]
    starts = _begun(words, terms) if ends else []
    return any(max(ends) <= start and _WITHIN.fullmatch(words, max(ends), start) for start in starts)


def _begun(words: str, terms: Terms) -> list[int]:
    """Where a molecular or MRD relapse is told, and not as one that is over."""
    cleared = max((match.start() for match in _CLEARED.finditer(words)), default=-1)
    return [
        start
        for start, end, _ in terms.words["relapse of residual disease"].spans(words)
        if _is_residual(words, start, end)
        and not (cleared >= end or _TREATED.match(words, end) or _AFTER.search(words, max(0, start - NEARBY), start))
    ]


def _is_of_others(said: Wording, keys: list[str]) -> bool:
    """Whether the words name what the code says, and of a relative alone."""
    names, hedges = said.terms.words["condition"], said.terms.words["doubtful"].spans(said.text)
    own = without(said.text, told_of_others(said.text, [span for span in hedges if span[2]]))
    return bool(set(keys) & set(names.find_all(said.text))) and not set(keys) & set(names.find_all(own))


def _told_until(words: str, hedges: list[Span]) -> tuple[int, int]:
    """Up to where the words tell what they name as a fact: a leukaemia, and anything else.

    "Heart failure, possible PRES" tells the first one only. A leukaemia that is only thought of is told, with a doubt.
    """
    sure = [end for _, end, value in hedges if value != _NOT_CERTAIN]
    thought = [0 if _LAST.match(words, end) else end for _, end, value in hedges if value == _NOT_CERTAIN]
    return min(sure, default=len(words)), min((*sure, *thought), default=len(words))


def _named(
    words: str, terms: Terms, until: tuple[int, int], left_open: frozenset[int]
) -> tuple[list[str], list[str], list[str]]:
    """What the words name and do not deny, up to where they tell it as a fact: now, as history; and what is left open.

    Of AML the table itself holds how it is denied: "AML, no relapse" is one.
    """
    leukaemia, other = until
    now: list[str] = []
    before: list[str] = []
    opened: list[str] = []
    pasts = [end for _, end, value in terms.words["doubtful"].spans(words) if value == _PAST]
    asked: Counter[str] = Counter()
    abbreviations, perhaps_aml = abbreviated(words, terms)
    for start, end, key in sorted((*terms.words["condition"].spans(words), *abbreviations)):
        if not key or key in now or start >= (leukaemia if key in LEUKAEMIA else other):
            continue
        asked[key] += 1
        if asked[key] > _MOST_NAMES or is_denied(words, start, end, key):
            continue
        if start in left_open:
            opened.append(key)
            continue
        told = bisect_right(pasts, start)
        near = told and _TOLD_AS_PAST.fullmatch(words, pasts[told - 1], start)
        (before if near else now).append(key)
    for key, sure in _perhaps_named(words, terms, other):
        (now if sure else opened).append(key)
    if perhaps_aml and not LEUKAEMIA.intersection((*now, *before, *opened)):
        now.append(MAY_BE_AML)
    return now, before, [key for key in opened if key not in now]


def _perhaps_named(words: str, terms: Terms, until: int) -> list[tuple[str, bool]]:
    """What words name in one language and not in another: "Hypotonie"; and whether the language is told.

    German writes each noun with a capital, so one within the text, or at its begin beside another noun, is German.
    """
    found = terms.words["perhaps"].spans(words)[:_MOST_NAMES]
    known = [(start, end) for start, end, _ in terms.words["condition"].spans(words)] if found else []
    return [
        (key, words[start].isupper() and bool(_WITHIN_A_TEXT.search(words, 0, start) or _A_NOUN.match(words, end)))
        for start, end, key in found
        if start < until
        and not any(first <= start < last for first, last in known)
        and not is_denied(words, start, end, key)
    ]


def _stated(words: str, terms: Terms) -> str:
    """The state that the words give, remission before all; the table holds negations as phrases without a state.

    A remission that is over, or only aimed at, and a relapse that was excluded, or could not be, are no state.
    """
    words, left_open = told_and_open(words, terms.words["state"].spans)
    spans = [span for span in terms.words["state"].spans(words) if span[2] and span[0] not in left_open]
    found = [
        state
        for start, end, state in spans[:_MOST_NAMES]
        if not (is_refuted(words, end) or _is_denied_state(words, start, end, state))
    ]
    return "in remission" if "in remission" in found else next(iter(found), "")


def _is_open(said: Wording, left_open: frozenset[int]) -> bool:
    """Whether the words say of a state that it cannot be excluded, and state no such one beside it.

    So they do where they say it of nothing that is known here, in words of doubt: "cannot rule out ...".
    """
    states = said.terms.words["state"].spans
    words, starts = told_and_open(said.text, states)
    opened = {value for start, _, value in states(words) if start in starts}
    stated = _stated(said.text, said.terms) if opened else ""
    if any(not stated or _is_active(each) != _is_active(stated) for each in opened):
        return True
    doubts = said.terms.words["doubtful"].spans(said.words)
    about_it = {span[2] for span in {*doubts} - doubts_of_another(said.words, doubts, said.terms)}
    return not left_open and not {_NOT_CERTAIN, _TO_RULE_OUT}.isdisjoint(about_it)


def _is_denied_state(words: str, start: int, end: int, state: str) -> bool:
    before = max(0, start - NEARBY)
    if state in IN_REMISSION:
        return _is_past(words, start, end) or _NO_MENTION.search(words, before, start) is not None
    if REFUTES_AHEAD.search(words, before, start):
        return True
    if _FEARED.search(words, before, start) and not _OF_THE_LEUKAEMIA.match(words, start):
        return True
    return bool(_NO_RELAPSE.search(words, before, start) or _NOT_SHOWN.match(words, end))


def _is_past(words: str, start: int, end: int) -> bool:
    return bool(_NOT_NOW.search(words, max(0, start - NEARBY), start) or _NOT_KEPT.match(words, end))


def _is_active(state: str) -> bool:
    return state in IN_RELAPSE or state == "refractory"
