"""States in words: which state of the disease the words of an entry give, and which they deny, fear or leave open."""

from __future__ import annotations

import re

from cds_service.facts.about_others import doubts_of_another
from cds_service.facts.clauses import NEARBY
from cds_service.facts.concepts import Wording
from cds_service.facts.denials import REFUTES_AHEAD, is_refuted
from cds_service.facts.diagnoses import IN_RELAPSE, IN_REMISSION
from cds_service.facts.left_open import told_and_open
from cds_service.knowledge.terms import Terms

NOT_CERTAIN, TO_RULE_OUT = "not certain", "to be ruled out"  # what words of doubt make of what they stand at
_MOST_STATES = 200  # of states in one text
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
FEARED = re.compile(  # not by "high risk relapsed AML"
    r"\b(?:risk\s+(?:of|for)\s+|(?:monitor\w*|surveillance|watch\w*|screen\w*)\s+for\s+"
    r"|(?:risiko|überwach\w*)\s+(?:auf|für|(?=eine[rs]\s))\s*"
    r"|(?:risque|surveillance|riesgo|rischio|risico|risco)\s+(?:de|di|do|van|op)\s+|risque\s+d['’]\s*)"
    r"(?:(?:an?|the|eine?[nsr]?|une?|una?|een|early|late)\s+){0,2}"
    r"(?:(?:molec\w+|molek\w+|moléc\w+|mrd)[\s-]+)?\Z",
    re.IGNORECASE,
)
_OF_THE_LEUKAEMIA = re.compile(r"(?:relapsed|recurrent|refra|réfra|rezidivierte)(?!\w*\s+disease)", re.IGNORECASE)


def stated_in(words: str, terms: Terms) -> str:
    """The state that the words give, remission before all, or ""; the table holds negations as phrases without a state.

    A remission that is over, or only aimed at, and a relapse that was excluded, or could not be, are no state.
    """
    words, left_open = told_and_open(words, terms.words["state"].spans)
    spans = [span for span in terms.words["state"].spans(words) if span[2] and span[0] not in left_open]
    found = [
        state
        for start, end, state in spans[:_MOST_STATES]
        if not (is_refuted(words, end) or _is_denied_state(words, start, end, state))
    ]
    return "in remission" if "in remission" in found else next(iter(found), "")


def is_open(said: Wording, left_open: frozenset[int]) -> bool:
    """Whether the words say of a state that it cannot be excluded, and state no such one beside it.

    So they do where they say it of nothing that is known here, in words of doubt: "cannot rule out ...".
    """
    states = said.terms.words["state"].spans
    words, starts = told_and_open(said.text, states)
    opened = {value for start, _, value in states(words) if start in starts}
    stated = stated_in(said.text, said.terms) if opened else ""
    if any(not stated or is_active(each) != is_active(stated) for each in opened):
        return True
    doubts = said.terms.words["doubtful"].spans(said.words)
    about_it = {span[2] for span in {*doubts} - doubts_of_another(said.words, doubts, said.terms)}
    return not left_open and not {NOT_CERTAIN, TO_RULE_OUT}.isdisjoint(about_it)


def _is_denied_state(words: str, start: int, end: int, state: str) -> bool:
    before = max(0, start - NEARBY)
    if state in IN_REMISSION:
        return _is_past(words, start, end) or _NO_MENTION.search(words, before, start) is not None
    if REFUTES_AHEAD.search(words, before, start):
        return True
    if FEARED.search(words, before, start) and not _OF_THE_LEUKAEMIA.match(words, start):
        return True
    return bool(_NO_RELAPSE.search(words, before, start) or _NOT_SHOWN.match(words, end))


def _is_past(words: str, start: int, end: int) -> bool:
    return bool(_NOT_NOW.search(words, max(0, start - NEARBY), start) or _NOT_KEPT.match(words, end))


def is_active(state: str) -> bool:
    """Whether that is a state of active disease."""
    return state in IN_RELAPSE or state == "refractory"
