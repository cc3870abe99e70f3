"""Conditions: what the codes and words of an entry of the problem list or of the procedures mean, and its status.

That follows from what is written and from our tables alone, so it is kept. Codes decide; words help where no code does.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from cds_service.facts.abbreviations import MAY_BE_AML, abbreviated, abbreviated_conditions
from cds_service.facts.about_others import OTHERS, doubts_of_another, told_of_others, without
from cds_service.facts.clauses import NEAR, NEARBY, STOP
from cds_service.facts.concepts import Wording, is_partly_unread, shortened, told_once, wording
from cds_service.facts.denials import is_denied
from cds_service.facts.diagnoses import AML, IN_RELAPSE, IN_REMISSION, IN_THE_FAMILY, LEUKAEMIA, disagree
from cds_service.facts.left_open import told_and_open
from cds_service.facts.residual import begun, is_within_remission, of_residual
from cds_service.facts.states_in_words import NOT_CERTAIN, TO_RULE_OUT, is_active, is_open, stated_in
from cds_service.gather.views import CodeableConcept
from cds_service.knowledge.codes import SERVER, Code, ConditionCode
from cds_service.knowledge.terms import Terms
from cds_service.knowledge.words import LATIN_WORD, Span, is_of_unread_script


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
    unread: bool = False  # its words are in a script that is not read, and no code says that it is none of ours


# What the words around a name may make of it, as the table of words tells it, and where they deny it.
_PAST = "past"
_SUSPECTED = "weighs when suspected"
_NOT_SUSPECTED = re.compile(  # "kein V.a. Long-QT-Syndrom"
    r"\b(?:kein\w*|ohne|nicht|no|not|without|geen|zonder|pas de|sans|sin|senza|sem|não)\s+"
    r"(?:(?:anhalt|hinweise?|anzeichen|evidence|signs?|für|for|auf|of|an?|the|eine?n?|clinical|current|klinische?r?"
    r"|aktuelle?r?|v\.\s?a\.|verdacht|suspicion|suspected|suspicious|possible|sospecha|sospetto)[\s:]*+){1,5}\Z",
    re.IGNORECASE,
)
# Right behind a name, also past the end of its clause: the suspicion is no longer held, or it is of no disease.
_TAKEN_BACK = re.compile(
    r"[\s,;:.()–—-]*+(?:(?:is|was|now|been|has|by|thought|considered|felt|very|clinically|currently|test\w*|urine|serum"
    r"|(?:β-?|beta-?)?hcg|ist|war|wird|wurde|est|è|es|foi|werd)\s+)*+"
    r"(?:not (?:suspected|confirmed|likely|shown|found)(?! yet)|unlikely|less likely|improbable|negativ\w*|négati\w+"
    r"|preventi\w+|prophyla\w+|nicht (?:bestätigt|nachgewiesen)|unwahrscheinlich|non confirm\w+|no confirmad\w+"
    r"|não confirmad\w+|niet bevestigd)\b",
    re.IGNORECASE,
)
_NOT_OF_IT = re.compile(  # right ahead of a name
    r"\b(?:not|unlikely|less likely|avoid\w*|preventi\w+(?: of)?|prophyla\w+(?: (?:of|for|against))?|risk (?:of|for)"
    r"|risiko|causes?|causing|rather than|doubt)\s+\Z",
    re.IGNORECASE,
)
BY_ITS_WORDS = "by its words not certain"
_BY_A_RELATIVE = "by its words told of a relative, not certain"
_PARTLY_UNREAD = "partly in a script not read, not certain"
CODE_AND_WORDS = "its code and its words disagree, not certain"
_MOST_NAMES = 200  # of one thing in one text: nobody denies it more often
_TOLD_AS_PAST = re.compile(rf"[\s:]*{NEAR}")  # between "history of" and a name
_LAST = re.compile(r"[\s).,]*(?:[;|\n]|\Z)")  # a hedge that stands last speaks of what is before it: "PRES suspected"
_KIND_OF_CONCEPT = re.compile(
    r"(?: \((?:disorder|finding|procedure|situation|morphologic abnormality|event"
    r"|ICD-10-GM[^()]*|German modification|Deprecated)\))+\Z"
)
# The name of a score of the liver is an entry of it where a class or points follow, not "Child-Pugh not applicable".
_SCORE = "pugh"
_SCORED = re.compile(
    r"[\s,:=(–-]*+(?:class|score|grade|stage|points)?[\s,:=(–-]*+"
    r"(?:[abc](?:\s?\d{1,2})?(?!\w)(?! priori)|[1-9]\d?\b)",
    re.IGNORECASE,
)
_WITHIN_A_TEXT = re.compile(r"[\w,]\s+\Z")
_ANSWERED_NO = re.compile(
    r"\s*[:=-]\s*(?:none|no|negative|denied|nein|keine?r?|negativ|aucune?|non|ninguno|nessun[ao]?|geen|nee|não|nenhum)\b",
    re.IGNORECASE,
)
_A_NOUN = re.compile(r"(?:,|\s+u\.|\s*/)\s*[A-ZÄÖÜ][a-zäöüß]")


@dataclass(frozen=True, slots=True)
class _Known:
    """What our tables say of a concept, and the codes that they do not hold."""

    meaning: Meaning
    unlisted: tuple[Code, ...]


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
    keys, status, told = _coded(said, elsewhere)
    hedges = [span for span in terms.words["doubtful"].spans(words) if span[2] and span[2] != _PAST]
    theirs = told_of_others(words, hedges)
    hedges = [span for span in hedges if span[2] not in OTHERS]
    thought_of = {span[2] for span in {*hedges} - doubts_of_another(words, hedges, terms)}
    own, own_said = without(words, theirs), without(said.words, theirs)
    family = _in_the_family(words, theirs, terms)
    unsure, past = bool(thought_of & {NOT_CERTAIN, TO_RULE_OUT}) or "?" in words, False
    unsure = unsure or (words is not said.words and is_open(said, left_open))
    beside: list[str] = []
    in_words = not keys
    until = _told_until(words, hedges) if in_words else (len(words), len(words), len(words))
    is_coded = any(system in terms.standard_systems for system, _ in said.codes)
    short = () if is_coded else tuple(abbreviated_conditions(own, terms))
    now, before, beside = _named(own, terms, until, left_open, short)
    if is_coded:  # it tells what the abbreviation means
        now = [key for key in now if key != MAY_BE_AML]
    if before and not (now or keys) and set(before) & AML and stated_in(own_said, terms) in IN_RELAPSE:
        now, before, unsure = before, [], True  # "history of AML, now relapsed" is no history
    if keys and not is_active(stated_in(own_said, terms)):  # "History of AML" beside the code of another thing
        before = [key for key in before if key not in LEUKAEMIA]
    if unsure and {*keys, *now} & AML:  # "AML, initially suspected APL" is AML
        now = [key for key in now if key != "apl"]
    alone = not (keys or now or before or family)
    unsure = unsure or bool(beside and (alone or set(beside) & set(keys)))
    now = beside if alone else now
    told = told or ("its words" if now or before or family else "")
    past = bool(before) and not (keys or now or family)
    doubts: tuple[str, ...] = (BY_ITS_WORDS,) if unsure else ()
    doubts += (_BY_A_RELATIVE,) if theirs and _is_of_others(said, keys) else ()
    earlier = [key for key in before if key not in (*keys, *now) and key not in LEUKAEMIA] if now else []
    keys += [*(now or before), *family]
    residual = of_residual(keys, words, terms)
    coded_remission = status in IN_REMISSION and bool(residual and begun(said.text, terms))
    within = bool(residual) and is_within_remission(said.text, terms)
    told_state = "relapsed" if within else ""
    if in_words and keys:
        doubts += (_PARTLY_UNREAD,) if is_partly_unread(words, lambda text: _names_any(text, terms)) else ()
    if status in ("", "active_no_remission") and set(keys) & AML and not (in_words and unsure):
        in_its_words = told_state or stated_in(own_said, terms)
        if in_its_words and not in_words and is_partly_unread(words, terms.words["state"].find):
            doubts += (_PARTLY_UNREAD,)
        status = in_its_words or status
    elif disagree(status, told_state := told_state or stated_in(said.text, terms)):  # a relapse where nobody can tell
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
        not keys and _is_unread(said),
    )


def _is_unread(said: Wording) -> bool:
    """Whether nothing of it can be read: neither a code of a system that is everybody's, nor a word but of a state."""
    if not is_of_unread_script(said.words) or any(system in said.terms.standard_systems for system, _ in said.codes):
        return False
    return LATIN_WORD.search(said.terms.words["state"].without(said.words)) is None


def _coded(said: Wording, elsewhere: Mapping[Code, ConditionCode]) -> tuple[list[str], str, str]:
    """What the codes mean, the state that they give, and which code told it."""
    keys: list[str] = []
    status = told = ""
    for code in said.codes:
        found = said.terms.listed_condition(*code) or elsewhere.get(code)
        if found is not None:
            keys += found.keys
            status = status or found.status
            by = f", by the {found.level}" if found.level == SERVER else ""
            told = told or f"{said.terms.spoken_system(code[0])} {code[1]}{by}"
    return keys, status, told


def _spoken(said: Wording, elsewhere: Mapping[Code, ConditionCode]) -> str:
    """What our tables call a code that came without words, with the code; first the one that states a state.

    A further one is named where it means something else. A code that they do not hold is told as it came.
    """
    found = [(said.terms.listed_condition(*code) or elsewhere.get(code), code[1]) for code in said.codes]
    named = [(each, code) for each, code in found if each is not None and each.display]
    if not named:
        return ", ".join(dict.fromkeys(code for _, code in said.codes))
    told: list[str] = []
    meant: set[str] = set()
    for each, code in sorted(named, key=lambda one: not one[0].status):
        if not told or not meant.issuperset(each.keys):
            told.append(f"{_KIND_OF_CONCEPT.sub('', each.display)} ({code})")
            meant.update(each.keys)
    return ", ".join(told)


def _is_of_others(said: Wording, keys: list[str]) -> bool:
    """Whether the words name what the code says, and of a relative alone."""
    names, hedges = said.terms.words["condition"], said.terms.words["doubtful"].spans(said.text)
    own = without(said.text, told_of_others(said.text, [span for span in hedges if span[2]]))
    return bool(set(keys) & set(names.find_all(said.text))) and not set(keys) & set(names.find_all(own))


def _in_the_family(words: str, theirs: list[tuple[int, int]], terms: Terms) -> list[str]:
    """What the words tell of a relative, of which a label asks whether it runs in the family."""
    return [
        IN_THE_FAMILY[key]
        for start, end, key in (terms.words["condition"].spans(words) if theirs else ())
        if key in IN_THE_FAMILY
        and any(begin <= start and end <= until for begin, until in theirs)
        and not is_denied(words, start, end, key)
        and not _ANSWERED_NO.match(words, end)
    ]


def _names_any(text: str, terms: Terms) -> bool:
    """Whether the text holds a name of a condition, or what may be one."""
    return any(terms.words[kind].find(text) for kind in ("condition", "abbreviated leukaemia", "perhaps"))


def _told_until(words: str, hedges: list[Span]) -> tuple[int, int, int]:
    """Up to where the words tell what they name: a leukaemia, anything else as a fact, and what weighs when suspected.

    "Heart failure, possible PRES" tells the first one only. A leukaemia that is only thought of is told, with a doubt,
    and so is a long QT syndrome or a pregnancy that is suspected: a drug that they forbid is not started then.
    """
    sure = [end for _, end, value in hedges if value != NOT_CERTAIN]
    thought = [0 if _LAST.match(words, end) else end for _, end, value in hedges if value == NOT_CERTAIN]
    denied = min(sure, default=len(words))
    return denied, min((*sure, *thought), default=len(words)), denied


def _named(
    words: str, terms: Terms, until: tuple[int, int, int], left_open: frozenset[int], short: tuple[Span, ...]
) -> tuple[list[str], list[str], list[str]]:
    """What the words name and do not deny, up to where they tell it as a fact: now, as history; and what is left open.

    Of AML the table itself holds how it is denied: "AML, no relapse" is one.
    """
    leukaemia, other, suspected = until
    weighs = terms.groups[_SUSPECTED]
    now: list[str] = []
    before: list[str] = []
    opened: list[str] = []
    doubtful = terms.words["doubtful"].spans(words)
    pasts = [end for _, end, value in doubtful if value == _PAST]
    asked: Counter[str] = Counter()
    abbreviations, perhaps_aml = abbreviated(words, terms)
    for start, end, key in sorted((*terms.words["condition"].spans(words), *abbreviations, *short)):
        limit = leukaemia if key in LEUKAEMIA else suspected if key in weighs else other
        if not key or key in now or start >= limit:
            continue
        asked[key] += 1
        if asked[key] > _MOST_NAMES or is_denied(words, start, end, key):
            continue
        if words[start:end].lower().endswith(_SCORE) and not _SCORED.match(words, end):
            continue
        if start >= other and key in weighs and not _is_suspected(words, start, end, doubtful):
            continue
        if start in left_open or (start >= other and key in weighs):
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


def _is_suspected(words: str, start: int, end: int, doubtful: tuple[Span, ...]) -> bool:
    """Whether a word of doubt stands ahead of a name, or behind it in its clause, and nothing at it takes it back.

    "Possible seizure, torsades unlikely" and "suspected DVT; discussed risk of pregnancy" suspect neither.
    """
    near = max(0, start - NEARBY)
    if _NOT_SUSPECTED.search(words, near, start) or _NOT_OF_IT.search(words, near, start):
        return False
    unsure = [each for each in doubtful if each[2] == NOT_CERTAIN]
    ahead = any(until <= start for _, until, _ in unsure)
    after = (words[end:begin].strip(" ;.") for begin, _, _ in unsure if end <= begin <= end + NEARBY)
    behind = any(not STOP.search(between) for between in after)
    return (ahead or behind) and not _TAKEN_BACK.match(words, end)


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
