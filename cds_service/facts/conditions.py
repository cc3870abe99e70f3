"""Conditions: what the codes and words of an entry of the problem list or of the procedures mean, and its status.

That follows from what is written and from our tables alone, so it is kept. Codes decide; words help where no code does.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from cds_service.facts.concepts import Wording, codes, is_of_catalogue, shortened, texts_of, told_once, wording
from cds_service.facts.concepts import text as spoken
from cds_service.facts.left_open import FROM, told_and_open
from cds_service.gather.views import CodeableConcept
from cds_service.kept import as_written
from cds_service.knowledge.terms import SERVER, Code, ConditionCode, Span, Terms

AML = frozenset({"aml", "aml_genetic_subtype", "aml_therapy_related", "aml_relapse_or_remission", "myeloid_sarcoma"})
IN_RELAPSE = frozenset({"in_relapse", "relapse", "recurrence", "relapsed"})
IN_REMISSION = frozenset({"in_remission", "remission", "in remission"})

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
    earlier: tuple[str, ...] = ()  # what its words tell of the past beside what is now: "AML, history of torsades"


# What the words around a name may make of it, as the table of words tells it, and where they deny it.
_PAST, _NOT_TOLD, _NOT_CERTAIN = "past", "not told", "not certain"
_OF_A_RELATIVE = "of a relative"  # a person; what is told of a family stands as not told
_OTHERS = frozenset({_NOT_TOLD, _OF_A_RELATIVE})
_TO_RULE_OUT, _NOT_YET = "to be ruled out", "not yet"  # of what follows: what stands before is told
BY_ITS_WORDS = "by its words not certain"
_BY_A_RELATIVE = "by its words told of a relative, not certain"
OF_RESIDUAL = "by its words a relapse of measurable residual disease and no other, not certain"
GRAFTS = frozenset({"hsct_procedure", "hsct_procedure_autologous", "history_hsct"})
_LEUKAEMIA = AML | {"apl"}
_NEAR = r"(?:[\w-]+\s+){0,2}"
_LISTED = r"(?:(?!(?:of|or|nor|pour|auf|für|voor)\s)[\w-]+(?:\s+|['’])){0,2}"  # between "of" and "or"
_BEFORE = 400  # characters before a name in which it is denied: in long texts each name would be asked for all of them
_MOST_NAMES = 200  # of one thing in one text: nobody denies it more often
_NEARBY = 60  # the same for what stands close to a name
_DENIED = re.compile(
    r"\b(?:(?:no|not|without|denies|denied|negative for|absence of|free of|ohne|kein\w*|pas de|sans|aucune?"
    r"|absence de|nie|sin|niega|ausencia de|senza|nega|assenza di|nessun[ao]?|geen|zonder|ontkent|sem|ausência de|não)"
    r"\s+"
    r"|(?:pas|absence) d['’])"
    rf"(?:{_LISTED}(?:of|or|nor|pour|auf|für|voor)\s+)*{_LISTED}\Z"
    r"|\bnicht\s+(?:mehr\s+)?\Z",  # and "nicht ischämische Kardiomyopathie" is one
    re.IGNORECASE,
)
_TOLD_AS_PAST = re.compile(rf"[\s:]*{_NEAR}")  # between "history of" and a name
_REFUTED = re.compile(
    r"(?:\s*+\([^()]*+\))?[\s,:-]*+(?:(?:was|is|has been)\s*+)?(?:(?:sicher|safely|definit\w+)\s++)?"
    r"(?:excluded|ruled out|refuted|not found|ausgeschlossen|exclue?s?|écartée?s?|descartad[oa]s?|esclus[oaie]"
    rf"|uitgesloten|excluíd[oa]s?)\b{FROM}",
    re.IGNORECASE,
)
# Behind a comma such a word may speak of what follows it: "AML, descartada recaída".
_OF_WHAT_FOLLOWS = re.compile(
    r"\s*:\s*\w|\s+(?!(?:by|on|with|after|via|at|in|from|through|since|today|and|or|but|as|no longer|mittels"
    r"|durch|per|mit|nach|am"
    r"|im|bei|und|oder|da|werden|worden|par|sur|à|au|aux|avec|après|et|ou|le|por|con|en|tras|mediante|según|y"
    r"|o|e|al|dopo"
    r"|tramite|door|met|na|bij|op|pel[oa]|em|após|com)\b|\w+(?:ly|mente|ment|isch)\b)[^\W\d]",
    re.IGNORECASE,
)
_REFUTES_AHEAD = re.compile(  # and of the first name behind it it is no word then
    r"(?:\A|[,;:.(|\n])\s*(?:excluded|ruled out|ausgeschlossen|exclue?s?|écartée?s?|descartad[oa]s?"
    r"|esclus[oaie]|uitgesloten"
    r"|excluíd[oa]s?)\s*:?\s+(?:(?:an?|the|une?|la|el|il|lo|o|a|een|eine?|new|nueva|nova)\s+)?\Z",
    re.IGNORECASE,
)
# A transplantation that was not done, or not yet, or of which only a service is named.
_PLANNED = re.compile(
    r"\b(?:plann?(?:ed|ing|s)?(?: for)?|candidate for|eligible for|ineligible for|evaluat\w+ for|consider\w*(?: for)?"
    r"|await\w*|before|prior to|bridge to|bridging to|towards?|referr\w+ (?:for|to)|work-?up for|scheduled for"
    r"|discuss\w*|pending|geplante?[rn]?|vor|never had|decline[sd]|avant|projet de|attente de|bilan (?:avant|pré\S*|de)"
    r"|candidate? à|prévue?|antes del?|espera del?|pendiente de|previo al?|candidat[oa] al?|prima del?|attesa d[ei]l?"
    r"|voor|gepland\w*|wacht op)"
    rf":?\s+{_NEAR}\Z|\b(?:attente|projet) d['’]\Z|\bzur\s+\Z",
    re.IGNORECASE,
)
_NOT_DONE = re.compile(
    r"[\s,:(-]*(?:is |was |are )?(?:planned|not (?:planned|eligible|done|performed)|ineligible|scheduled|pending"
    r"|declined|geplant|vorgesehen|prévue?|programmée?|planifiée?|programad[oa]|previst[oa]|programmat[oa]"
    r"|gepland|refusée?|récusée?|abgelehnt"
    r"|rechazad[oa]|rifiutat[oa]|non (?:réalisée?|faite|eseguit[oa]|effettuat[oa]|indiquée?|prévue?)"
    r"|no (?:realizad[oa]|candidat[oa]|indicad[oa])|niet (?:verricht|uitgevoerd|mogelijk)|não realizad[oa]"
    r"|nicht (?:erfolgt|durchgeführt|möglich|geplant))\b"
    r"|\s+(?:candidate|evaluation|work-?up|donor(?!\s*:)|consult\w*|clinic|coordinator|unit)\b",
    re.IGNORECASE,
)
# The same, told of what is near: "evaluation for" one, and not "evaluation after" one.
_AIMED_AT = re.compile(
    r"\b(?:indication|recommend\w*|options?|aim\w*|goal|donor search|vorgesehen|evaluation|evaluierung"
    r"|abklärung|aufklärung"
    r"|spendersuche|ziel|wunsch|vorbereitung|indikation|empfehlung|anmeldung|angemeldet|ablehnung)"
    r":?\s+(?:(?!(?:after|post|following|since|nach|seit|zustand)\s)[\w-]+\s+){0,2}\Z|\bwunsch nach\s+\Z",
    re.IGNORECASE,
)
_ONLY_AIMED_AT = re.compile(
    r"[\s:(-]*(?:is |was |are |ist |wird |wurde )?(?:(?:am|im|für|for|in|on)\s+)?(?:[\d./-]+\s+)?"
    r"(?:planned|scheduled|geplant|vorgesehen|indicated|recommended|considered|discussed|advised|offered"
    r"|deferred|postponed"
    r"|cancell?ed|in planung|angestrebt|empfohlen|erwogen|besprochen|diskutiert|steht an|verschoben|abgesagt"
    r"|indiziert|evaluiert"
    r"|indiquée?|envisagée?|discutée?|proposée?|reportée?|annulée?|à (?:prévoir|discuter)|indicad[oa]"
    r"|propuest[oa]|aplazad[oa]"
    r"|pendiente|indicat[oa]|propost[oa]|in programma|da (?:eseguire|valutare)|geïndiceerd|overwogen|besproken"
    r"|uitgesteld"
    r"|adiad[oa])\b",
    re.IGNORECASE,
)
_FUSION = re.compile(r"pml|t\(15", re.IGNORECASE)  # the fusion of APL, which a text names where it was looked for too
_LAST = re.compile(r"[\s).,]*(?:[;|\n]|\Z)")  # a hedge that stands last speaks of what is before it: "PRES suspected"
_DENIAL = re.compile(
    r"\b(?:no|not|non|without|negative|absent|absence|excluded|ruled out|ohne|kein\w*|nicht|negativ)\b", re.IGNORECASE
)
_DENIES_AHEAD = re.compile(r"\b(?:no|not|non|without|negative for|absence of|ohne|keine?|nicht)\b", re.IGNORECASE)
_ABERRATIONS = re.compile(
    r"(?:\s*(?:[,/&]|and|or|und|oder)?\s*(?:(?:t|inv|del)\([^()]*\)(?:\([^()]*\))?|\w+(?:::|[-/])\w+))+",
    re.IGNORECASE,
)
_WITHIN_A_TEXT = re.compile(r"[\w,]\s+\Z")
_A_NOUN = re.compile(r"(?:,|\s+u\.|\s*/)\s*[A-ZÄÖÜ][a-zäöüß]")
_PART = re.compile(r"[,;|\n]|\.(?=\s|$)")
_STOP = re.compile(r"[;|\n]|\.(?=\s|$)")
_CLAUSE = re.compile(r"[;|\n](?![^(|]*\))|\.(?=\s|$)")
# A remission that was, or that is only aimed at: "relapse after CR2", "no longer in remission", "CR2 not reached".
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
_LOOKED_AT = re.compile(  # "relapse (molecular studies: ...": what was looked at, not what relapsed
    r"(?:(?<=molecular)|(?<=mrd))\s+(?:stud|profil|test|analys|panel|genetic|marker|result|data|work-?up"
    r"|patholog|diagnos"
    r"|finding|pending)",
    re.IGNORECASE,
)
# A relative who is no patient in these words: who gave a graft, saw the patient, was told, or is the patient herself.
_GRAFT_FROM = re.compile(
    r"\b(?:\w*transplant\w*|trasplant\w*|trapiant\w*|allogre\w+|greffe\w*|\w*szt|\w*sct|\w*hct|\w*bmt|haplo\w*|hla\S*"
    r"|donor\w*|spender\w*|donn?eu(?:r|se)|donante|donat(?:ore|rice)|doador\w*|dli)\b",
    re.IGNORECASE,
)
_BESIDE_A_PERSON = re.compile(
    r"\b(?:jeune|petite|junge[rmn]?|young|\d+[- ]?(?:year|jährige|ans|jarige)\S*|chez (?:une|un|cette|ce))\s+\Z"
    r"|\b(?:(?:with|by|to|via|from|per|mit|von|laut|par|avec|selon|por|según|con|secondo|met|door|volgens|com"
    r"|pelo|pela|segundo"
    r"|told|informed|breast-?feeding|nursing|lactating|single|stillende|alleinerziehende)\s+)(?:(?:his|her|the"
    r"|der|dem|seine[rm]|ihre[rm]|la|le|les|sa|su|el|il|de|sua|seu|haar"
    r"|zijn)\s+)?\Z",
    re.IGNORECASE,
)
_OF_CHILDREN = re.compile(
    r"\s+(?:of|to|von|de|di|van)\s+(?:a|an|one|two|three|four|five|\d|einem|einer|zwei|drei|vier|deux|trois"
    r"|dos|tres|due|tre"
    r"|twee|drie|dois)\b",
    re.IGNORECASE,
)
_SPEAKS = re.compile(
    r"\s+(?:reports?|reported|says?|said|notice[sd]|noted|states?|stated|describe[sd]?|call(?:s|ed)|brought"
    r"|found|observed"
    r"|concerned|worried|present|informed|aware|berichte\w*|bemerkt\w*|schildert\w*|rapporte|signale|refieren?"
    r"|riferisc\w+"
    r"|meldt|relata)\b",
    re.IGNORECASE,
)
# A doubt that begins a clause, and what may stand between it and what it speaks of.
_OWN_CLAUSE = re.compile(
    r"(?:[,;:.(|\n]|\b(?:with|and|mit|und|avec|et|con|y|e|met|com))\s*(?:an?\s+|(?:can\s?not|can['’]t"
    r"|could not|not)\s+)?\Z",
    re.IGNORECASE,
)
_TO_A_THING = re.compile(
    r"[\s:]*(?:(?:an?|the|une?|la|el|eine?n?|de|of|early|new|acute|akute|invasive|pulmonary)\s+){0,3}", re.IGNORECASE
)
_OF_LEUKAEMIA = re.compile(
    r"le[uú][kcq]|blast|relaps|rezidiv|r[eé]cidi|reca[ií]|rechut|ricadut|progress|transform|refra[ck]t|remis"
    r"|\baml|\blma|\blam\b"
    r"|disease|krankheit|maladie|enfermedad|malattia|ziekte|doença|diagnos|\?",
    re.IGNORECASE,
)
_NOTHING_ELSE = re.compile(r"[\s().:]*(?:(?:his|her|the|su|la|le|il|el|sein\w*|ihr\w*)\s+)?\Z", re.IGNORECASE)


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
    theirs = _of_others(words, hedges)
    hedges = [span for span in hedges if span[2] not in _OTHERS]
    thought_of = {value for start, end, value in hedges if not _is_of_another(words, start, end, terms)}
    own, own_said = _without(words, theirs), _without(said.words, theirs)
    unsure, past = bool(thought_of & {_NOT_CERTAIN, _TO_RULE_OUT}) or "?" in words, False
    unsure = unsure or (words is not said.words and _is_open(said, left_open))
    beside: list[str] = []
    in_words = not keys
    until = _told_until(words, hedges) if in_words else (len(words), len(words))
    now, before, beside = _named(own, terms, until, left_open)
    if before and not (now or keys) and set(before) & AML and _stated(own_said, terms) in IN_RELAPSE:
        now, before, unsure = before, [], True  # "history of AML, now relapsed" is no history
    if keys and not _is_active(_stated(own_said, terms)):  # "History of AML" beside the code of another thing
        before = [key for key in before if key not in _LEUKAEMIA]
    if unsure and {*keys, *now} & AML:  # "AML, initially suspected APL" is AML
        now = [key for key in now if key != "apl"]
    alone = not (keys or now or before)
    unsure = unsure or bool(beside and (alone or set(beside) & set(keys)))
    now = beside if alone else now
    told = told or ("its words" if now or before else "")
    past = bool(before) and not (keys or now)
    doubts: tuple[str, ...] = (BY_ITS_WORDS,) if unsure else ()
    doubts += (_BY_A_RELATIVE,) if theirs and _is_of_others(said, keys) else ()
    earlier = [key for key in before if key not in (*keys, *now) and key not in _LEUKAEMIA] if now else []
    keys += now or before
    if status in ("", "active_no_remission") and set(keys) & AML and not (in_words and unsure):
        status = _stated(own_said, terms) or status
    elif disagree(status, told_state := _stated(said.text, terms)):  # a relapse where nobody can tell
        doubts += ("its code and its words disagree, not certain",)
        status = status if status in IN_RELAPSE else told_state
    doubts += _of_residual(keys, words, terms)
    return Meaning(
        tuple(dict.fromkeys(keys)),
        status,
        (f"told by {told}",) if told else (),
        doubts,
        shortened(said.text or ", ".join(dict.fromkeys(code for _, code in said.codes))),  # a code where no words came
        bool(words or said.codes),
        past,
        tuple(dict.fromkeys(key for key in beside if key not in keys)),
        tuple(dict.fromkeys(earlier)),
    )


def _of_residual(keys: list[str], words: str, terms: Terms) -> tuple[str, ...]:
    """The doubt where the words tell of a molecular or MRD relapse of AML, and of none in marrow or blood."""
    spans = terms.words["relapse of residual disease"].spans(words) if AML.intersection(keys) else ()
    told = any(
        not _DENIES_AHEAD.search(words, max(0, start - _NEARBY), start)
        and not _is_refuted(words, end)
        and not _EARLIER.search(words, max(0, start - _NEARBY), start)
        and not _LOOKED_AT.match(words, end)
        for start, end, _ in spans
    )
    overt = any(value == "overt" for _, _, value in spans)
    return (OF_RESIDUAL,) if told and not overt else ()


def is_no_aberration(words: str, start: int) -> bool:
    """Whether what stands around a chromosomal change denies it, alone or in a list: "t(8;21), inv(16): not found"."""
    before = _CLAUSE.split(words[max(0, start - _NEARBY) : start])[-1]
    listed = _ABERRATIONS.match(words, start, start + _NEARBY)
    end = listed.end() if listed else start
    after = _PART.split(words[end : end + _NEARBY], maxsplit=1)[0]
    return _DENIES_AHEAD.search(before) is not None or _DENIAL.search(after) is not None


def _of_others(words: str, hedges: list[Span]) -> list[tuple[int, int]]:
    """The parts of the words that tell of a relative: from the last comma before one to the end of the clause.

    Where nothing stands between two commas but the relative, what stands before is told of the relative.
    """
    others = [span for span in hedges if span[2] in _OTHERS]
    if not others:
        return []
    begins = [0, *(part.end() for part in _PART.finditer(words))]
    ends = [*(stop.start() for stop in _STOP.finditer(words)), len(words)]
    found: list[tuple[int, int]] = []
    for start, end, value in others:
        place = bisect_right(begins, start) - 1
        begin, until = begins[place], ends[bisect_left(ends, end)]
        part = begins[place + 1] - 1 if place + 1 < len(begins) else len(words)
        alone = _NOTHING_ELSE.fullmatch(words, begin, start) and not words[end:part].strip(" .)")
        if alone and place and words[begin - 1] == ",":
            begin = begins[place - 1]
        if value == _OF_A_RELATIVE and _is_no_patient(words, start, end, words[begin:part]):
            continue
        begin, until = _in_brackets(words, (start, end), (begin, until))
        if found and begin < found[-1][1]:
            begin, until = min(begin, found[-1][0]), max(until, found[-1][1])
            found.pop()
        found.append((begin, until))
    return found


def _in_brackets(words: str, relative: tuple[int, int], part: tuple[int, int]) -> tuple[int, int]:
    """The part, or its brackets alone where more than the relative stands in them."""
    start, end = relative
    opens = words.rfind("(", part[0], start)
    closes = words.find(")", end, part[1])
    if opens < 0 or ")" in words[opens:start]:
        return part
    closes = part[1] if closes < 0 else closes
    return (opens, closes) if words[opens + 1 : start].strip() or words[end:closes].strip() else part


def _is_no_patient(words: str, start: int, end: int, part: str) -> bool:
    """Whether a relative only gave the graft, is only spoken with, or is the patient: "mother of two"."""
    if _OF_CHILDREN.match(words, end) or _SPEAKS.match(words, end):
        return True
    if _BESIDE_A_PERSON.search(words, max(0, start - _NEARBY), start):
        return True
    return _GRAFT_FROM.search(part[:_BEFORE]) is not None


def _without(words: str, parts: list[tuple[int, int]]) -> str:
    """The words, with blanks for those parts."""
    for begin, until in parts:
        words = words[:begin] + " " * (until - begin) + words[until:]
    return words


def _is_of_others(said: Wording, keys: list[str]) -> bool:
    """Whether the words name what the code says, and of a relative alone."""
    names, hedges = said.terms.words["condition"], said.terms.words["doubtful"].spans(said.text)
    own = _without(said.text, _of_others(said.text, [span for span in hedges if span[2]]))
    return bool(set(keys) & set(names.find_all(said.text))) and not set(keys) & set(names.find_all(own))


def _is_of_another(words: str, start: int, end: int, terms: Terms) -> bool:
    """Whether a word of doubt in a clause of its own speaks of an infection or clot: "relapsed AML, possible sepsis".

    The leukaemia must be told before it, and nothing behind it may speak of the leukaemia again.
    """
    if not _OWN_CLAUSE.search(words, max(0, start - _NEARBY), start) or _OF_LEUKAEMIA.search(words, start):
        return False
    clause = _PART.split(words[end : end + _NEARBY], maxsplit=1)[0]
    if not any(_TO_A_THING.fullmatch(clause, 0, thing) for thing, _, _ in terms.words["another thing"].spans(clause)):
        return False
    return any(key in _LEUKAEMIA for _, _, key in terms.words["condition"].spans(words[:start]))


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
    for start, end, key in terms.words["condition"].spans(words):
        if not key or key in now or start >= (leukaemia if key in _LEUKAEMIA else other):
            continue
        asked[key] += 1
        if asked[key] > _MOST_NAMES or _denied(words, start, end, key):
            continue
        if start in left_open:
            opened.append(key)
            continue
        told = bisect_right(pasts, start)
        near = told and _TOLD_AS_PAST.fullmatch(words, pasts[told - 1], start)
        (before if near else now).append(key)
    for key, sure in _perhaps_named(words, terms, other):
        (now if sure else opened).append(key)
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
        and not _denied(words, start, end, key)
    ]


def _denied(words: str, start: int, end: int, key: str) -> bool:
    """Whether the words around a name deny it; the fusion of APL is denied by any word of its clause."""
    first = max(0, start - _BEFORE)
    if _REFUTES_AHEAD.search(words, max(0, start - _NEARBY), start):
        return True
    if _is_refuted(words, end) or (key not in AML and _DENIED.search(words, first, start)):
        return True
    is_after = words[start:end].lower().startswith("post")
    aimed_at = not is_after and _AIMED_AT.search(words, max(0, start - _NEARBY), start)
    if key in GRAFTS and (aimed_at or _ONLY_AIMED_AT.match(words, end)):
        return True
    if key in GRAFTS and (_PLANNED.search(words, max(0, start - _NEARBY), start) or _NOT_DONE.match(words, end)):
        return True
    return key == "apl" and bool(_FUSION.match(words, start)) and is_no_aberration(words, start)


def _is_refuted(words: str, end: int) -> bool:
    """Whether what ends there is refuted by the word behind it, and not what follows that word."""
    found = _REFUTED.match(words, end)
    return found is not None and not ("," in found[0] and _OF_WHAT_FOLLOWS.match(words, found.end()))


def _stated(words: str, terms: Terms) -> str:
    """The state that the words give, remission before all; the table holds negations as phrases without a state.

    A remission that is over, or only aimed at, and a relapse that was excluded, or could not be, are no state.
    """
    words, left_open = told_and_open(words, terms.words["state"].spans)
    spans = [span for span in terms.words["state"].spans(words) if span[2] and span[0] not in left_open]
    found = [
        state
        for start, end, state in spans[:_MOST_NAMES]
        if not (_is_refuted(words, end) or _is_denied_state(words, start, end, state))
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
    doubts = [
        value
        for start, end, value in said.terms.words["doubtful"].spans(said.words)
        if not _is_of_another(said.words, start, end, said.terms)
    ]
    return not left_open and not {_NOT_CERTAIN, _TO_RULE_OUT}.isdisjoint(doubts)


def _is_denied_state(words: str, start: int, end: int, state: str) -> bool:
    before = max(0, start - _NEARBY)
    if state in IN_REMISSION:
        return _is_past(words, start, end) or _NO_MENTION.search(words, before, start) is not None
    if _REFUTES_AHEAD.search(words, before, start):
        return True
    return bool(_NO_RELAPSE.search(words, before, start) or _NOT_SHOWN.match(words, end))


def _is_past(words: str, start: int, end: int) -> bool:
    return bool(_NOT_NOW.search(words, max(0, start - _NEARBY), start) or _NOT_KEPT.match(words, end))


def _is_active(state: str) -> bool:
    return state in IN_RELAPSE or state == "refractory"


def agree(one: str, other: str) -> bool:
    """Whether both states of the disease are a relapse, or both a remission."""
    return {one, other} <= IN_RELAPSE or {one, other} <= IN_REMISSION


def disagree(one: str, other: str) -> bool:
    """Whether one of two states of the disease is a relapse, and the other one a remission."""
    return (one in IN_RELAPSE and other in IN_REMISSION) or (one in IN_REMISSION and other in IN_RELAPSE)
