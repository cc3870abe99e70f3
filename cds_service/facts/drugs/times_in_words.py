"""Times in words: how often a day a drug is taken, and at which parts of it, as people write it in seven languages.

What names no count ("before meals", "as directed") is not guessed, nor is what can be read in two ways.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from itertools import islice, pairwise

from cds_service.knowledge.terms import Terms

_ONE, _DAY = Decimal(1), Decimal(24)  # times, hours
# Numbers in words, as they stand before "times a day" in the languages that the tables know.
_NUMBERS: Mapping[str, int] = {
    name: count
    for count, names in enumerate((
        "one|ein|une|una|uma|een|één", "two|zwei|deux|dos|due|twee|dois|duas", "three|drei|trois|tres|tre|drie|três",
        "four|vier|quatre|cuatro|quattro|quatro", "five|fünf|cinq|cinco|cinque|vijf", "six|sechs|seis|sei|zes",
        "seven|sieben|sept|siete|sette|zeven|sete", "eight|acht|huit|ocho|otto|oito",
    ), 1)
    for name in names.split("|")
}  # fmt: skip
_COUNT = rf"(?:\d+|{'|'.join(_NUMBERS)})"
_SEVERAL = rf"(?:[2-9]|\d\d|{'|'.join(name for name, count in _NUMBERS.items() if count > 1)})"
# "2 dd": twice a day. "1 dd 4" is four pieces at once, which is read where the pieces are named, or the mg.
_DD = r"dd(?=[\s.,;]|\Z)(?!\s*(?:½|(?!1\b)\d{1,2}\b(?!\s*(?:mg|x|tab|tbl|cap|kaps|compr)|[.,]\d)))"
_EACH = rf"(?:x|×|times?|mal|fois|ve[zc](?:es)?|volt[ae]|maal|keer|{_DD})"
_A_DAY = (
    r"(?:/|per|an?|each|every|the|pro|am|par|al|por|ao|à|die)?\s*"
    r"(?:day|daily|d|tag|täglich|tägl|tgl|jour|j|d[ií]a|giorno|dì|dag|daags|dagelijks)\b"
)
_UP_TO = r"\s*-?\s*(?:[-–/]|to|or|bis|oder|à|ou|a|o|tot|of|até|ad?)\s*"  # from one count to a higher one
_TIMES = re.compile(
    rf"\b({_COUNT})({_UP_TO}{_COUNT})?(?:\s*|-)(?:{_EACH}\s*{_A_DAY}|{_DD})", re.IGNORECASE
)
_ONCE_OR_MORE = re.compile(  # "once or twice daily"
    r"\b(?:once|ein-?\s?mal|eenmaal|ein-)(?:\s*+(?:[-–/]|(?:or|to|bis|oder|of|tot|bzw)\b\.?)\s*+)++"
    r"(?=\d|twice|thrice|two|three|several|more|zwei|drei|mehr|twee|drie|meer)",
    re.IGNORECASE,
)
# "once-daily", "2 times/day", "twice by mouth daily": the same as "once daily".
_ONE_WORD_APART = re.compile(
    r"\b(once|twice|thrice|times)(?:\s*/\s*d(?:ay)?\b|-(?:a-)?da(?:y|ily)\b"
    r"|\s+(?:orally|oral|by\s+mouth|per\s+os|po|p\.o\.)\s+(?:daily|(?:a|per|each|every)\s+day)\b)",
    re.IGNORECASE,
)
_SOME_TIMES = re.compile(  # so often that nobody can tell, or a count that is read in no other way
    rf"(?:\b(?:several|multiple|many|mehrere?|plusieurs|vari[ao]s|più|diverse|meerdere|várias|{_COUNT})\s*-?"
    rf"(?:{_EACH}|mals)|\b(?:mehrmals|meermaals))\s*{_A_DAY}"
    r"|\b(?:daily|day|tag|t(?:ä|ae)?gl(?:ich)?|jours?|quotidien\w*|d[ií]as?|diari\w*|giorno|dag|dagelijks)\W{1,3}"
    rf"(?:{_COUNT}\s*-?{_EACH}\b"
    r"|[x×]\s*\d++(?!\s*(?:d\b|da|w|m|tag|woche|jour|sem|d[ií]a|giorn|sett|dag|wek|cy|zyk|dos)))"
    r"|(?:\A|[\s,;])[2-9]\s+t(?:ä|ae)?gl\b|\bt(?:ä|ae)?gl(?:ich)?\.?\s+(?:[2-9]|zwei|drei|vier)\s*\Z",
    re.IGNORECASE,
)
_EVERY = re.compile(
    r"(?<![\w-])(?:q|every|alle|toutes les|cada|ogni|elke|iedere|om de|c/)\s*(\d{1,2})\s*"
    r"(?:h|hr|hrs|hours?|std|stunden|heures|horas|ore|uur|u)\b",
    re.IGNORECASE,
)
_FROM_TO = re.compile(r"(?<![\w/-])(?:de\s+)?(\d{1,2})\s*(?:em|/|en)\s*\1\s*h(?:oras)?\b", re.IGNORECASE)  # "12/12h"
_AM_OF_GERMAN = re.compile(r"\bam(?=\s+(?:(?!vormittag)\w*tag|\d))", re.IGNORECASE)
# Days that pass between one dose and the next.
_BETWEEN_DAYS = (
    r"(?:every|each) (?:other|second|third|2nd|3rd|[2-6]) days?|alternat\w+ days?|q[2-7]d|qod|q48h|q72h"
    r"|jeden? (?:zweiten|dritten|[2-7]\.) tag|alle (?:[2-7]|zwei|drei|vier) tage"
    r"|(?:un|1) jour sur(?: (?:deux|trois|2|3))?"
    r"|tous les (?:[2-7]|deux|trois) jours|d[ií]as altern\w+|cada (?:[2-7]|dos|tres) d[ií]as|cada (?:48|72) ?h\w*"
    r"|giorni alterni|giorno sì e|ogni (?:[2-7]|due|tre) giorni|om de (?:andere )?dag|elke (?:[2-7]|twee|drie) dagen"
    r"|(?:once|twice|times|[1-6]\s*x) (?:a|per|each|every) week|(?:once|twice|[1-6] times) weekly"
)
_DAYS_BETWEEN = re.compile(rf"\b(?:{_BETWEEN_DAYS})\b", re.IGNORECASE)
_CLAUSE = re.compile(r"[;\n]|\.(?=\s)")
_AMOUNT = re.compile(r"\d[\d.,]*\s*(?:mg|g|mcg|µg)\b(?!\s*/)", re.IGNORECASE)
# What may stand between an amount and the words that say how often it is given: pieces, the mouth, meals, the hour.
_BESIDE_A_DOSE = re.compile(
    r"\d+|one|two|three|four|half|takes?|give|mg|tab\w*|tbl|caps?|capsul\w*|kaps\w*|pills?|comp\w*|gélules?|cápsulas?|cpr?"
    r"|po|p|o|per|os|by|mouth|oral\w*|with|without|after|before|an?|the|of|food|meals?|water|breakfast|dinner|in|at|on"
    r"|empty|stomach|morning|evening|night|bedtime|nocte|am|pm|hs|qhs|qam|only|dose"
    r"|ein\w*|nehmen|zum|zur|mit|nach|vor|dem|essen|wasser|mahlzeit|frühstück|morgens|abends|nachts|mittags"
    r"|prendre|une?|par|voie|le|matin|soir|midi|avec|repas|tomar|una?|vía|por|la|mañana|noche|con|comida"
    r"|prendere|via|al|il|mattino|sera|pasto|innemen|bij|het|ontbijt|eten",
    re.IGNORECASE,
)
# What may follow them: the end, a mark, or what says for how long and why.
_AFTER_TIMES = re.compile(
    r"\s*(?:\Z|[,;.:()\n]|(?:with|without|for|x|until|by|po|oral\w*|due|on|in|at|from|starting|because|then|mit|für|bis|wegen"
    r"|oral|ab|zum|pendant|pour|avec|con|por|durante|per|da|hasta|met|voor|vanaf|gedurende)\b)",
    re.IGNORECASE,
)
_CLAUSE_AT_MOST = 150  # letters
_NO_GIVING = re.compile(  # an amount that is added, handed out or left out
    r"\b(?:increas|rais|titrat|ramp|reduc|lower|dispens|suppl|refill|hold|held|skip|stop|not\b|steiger|erhöh|augment|aument)",
    re.IGNORECASE,
)
_BY_TURNS = re.compile(
    r"\balternat|abwechselnd|im wechsel|\baltern[aeoé]|afwisselend|\b(?:odd|even)\b|gerade", re.IGNORECASE
)
# Days without the drug, or a dose of the day that is divided, whatever else is said of how often.
_OPEN = re.compile(
    rf"\b(?:{_BETWEEN_DAYS}"
    r"|dias? sim|weekdays|week-?ends|werktags|im wechsel|pause|divided|split|aufgeteilt|verteilt|verdeeld"
    r"|dividid[oa]s?|répartie?s?"
    rf"|(?:in|en|em|auf) {_SEVERAL} (?:divided )?(?:doses?|dosen|gaben|einzelgaben|prises?|tomas?|dosis|dosi))\b",
    re.IGNORECASE,
)
_DIVIDED = re.compile(
    r"divided|split|aufgeteilt|verteilt|verdeeld|dividid|répartie?|dos[ei]|gaben|prises?|tomas?", re.IGNORECASE
)
# One dose alone, or one that waits for a need.
_AT_NEED = re.compile(
    r"\b(?:bei bedarf|(?:b\.|bei)\s?b(?:ed)?\.|einmalig(?! t)|(?<!ab )(?<!seit )heute (?:früh|morgen|abend)"
    r"|[sa][iu] besoin|dose unique(?! quot| jour| par jour)|si (?:precisa|dolor|es necesario|necesita)|a demanda"
    r"|dosis única(?! d)|mañana por la|al bisogno|se necessario|una tantum|(?:zo|indien) nodig"
    r"|eenmalig(?! d)|se necessário"
    r"|sos|dose única(?! d)|(?<!de )amanhã)(?!\w)",
    re.IGNORECASE,
)
# Chosen days, or a pause: what a part of the day alone, or "daily", says of every day is no count then.
_SOME_DAYS = re.compile(
    r"\b(?:pausier\w*|wöchentlich|(?:\d+-?\s?)?stündlich|stdl|(?:pro|die|/) ?woche|dialysetage?n?|(?:mon|diens"
    r"|donners|frei|sams"
    r"|sonn)tags?|mittwochs?"
    r"|mo ?- ?fr|mo,? mi"
    r"|sauf|par semaine|jours? sur|suspendu\w*|(?:lun|mar|mercre|jeu|vendre|same)di|dimanche"
    r"|excepto|salvo|(?:a la|por|cada) semana|suspendid[oa]|lunes|martes|miércoles|jueves|viernes|sábados?|domingos?"
    r"|tranne|(?:a|la|per|alla) settimana|sospes[oa]|luned[iì]|marted[iì]|mercoled[iì]|gioved[iì]"
    r"|venerd[iì]|sabato|domenica"
    r"|behalve|per week|gestopt|(?:maan|dins|woens|donder|vrij|zater|zon)dag|exceto|suspens[oa]"
    r"|(?:segunda|terça|quarta|quinta|sexta)s?(?:-feira| e | de manhã| à noite))\b",
    re.IGNORECASE,
)
_AT_MEALS = re.compile(  # how many there are is not said
    r"\b(?:(?:zu|mit|vor|nach) (?:den|allen) mahlzeiten|jeder mahlzeit|(?:chaque|aux|les) repas|(?:con"
    r"|a) las comidas|cada comida"
    r"|ai pasti|ogni pasto|bij de maaltijden|elke maaltijd|[àa]s refeições|cada refeição|(?:each|every) meal)\b",
    re.IGNORECASE,
)
_CLOCK = r"(?:\d{1,2}[:.h]\d\d|\d{1,2}\s*(?:uhr|uur|h|am|pm)\b|(?:[01]\d|2[0-3])[0-5]0)"
_NEXT = r"\s*(?:und|and|et|y|e|en|u\.|,|/|&|\+|-|–|\s)\s*(?:um\s+|om\s+|at\s+|à\s+|a\s+las\s+|alle\s+|às\s+|h\s*)?"
_TWO_HOURS = re.compile(  # "at 8:00 and 20:00": as often as that, whatever "daily" says
    rf"\d:\d\d\b.{{1,40}}?\b\d\d?:\d\d|(?<![\d.,/-]){_CLOCK}{_NEXT}{_CLOCK}(?!\s*m?g\b)"
    rf"|(?<![\d.,/-])\d{{1,2}}{_NEXT}(?:\d{{1,2}}{_NEXT})?{_CLOCK}(?!\s*m?g\b)"
    rf"|\b(?:at|um|om|alle|às|(?<=a )las"
    rf"|à)\s+\d{{1,2}}{_NEXT}(?:\d{{1,2}}{_NEXT})?\d{{1,2}}\b(?!\s*(?:m?g\b|tab|tag|stu|std|woch))",
    re.IGNORECASE,
)
_SO_MANY_OF = re.compile(  # "2 x 400 mg daily": two pieces at once, or one twice
    r"(?<![\w.,])(?:[2-9]|\d\d+)\s*[x×]\s*\d[\d.,]*\s*m?g\W{1,3}"
    r"(?:daily|per day|a day|t(?:ä|ae)?gl|jeden tag|quotid|tous les jours|diari|cada d[ií]a|ogni giorno|dagelijks)",
    re.IGNORECASE,
)
_EARLY = (
    r"morgens|(?<=\bam )morgen|(?<=\bjeden )morgen|früh|matin|(?<=\bla )mañana|(?<=\bcada )mañana"
    r"|mattin[ao]|ochtends?"
    "|(?<!a)manhã"
)
_LATE = "abends?|nachts|zur nacht|soir|coucher|noche|acostarse|(?:la|alla|ogni|e) sera|coricarsi|avonds?|noite|deitar"
_MORNING = re.compile(
    rf"\b(?:mornings?|breakfast|qam|{_EARLY})\b|\bam\b(?!\s+(?:\w*tag|abend|\d))", re.IGNORECASE
)
_EVENING = re.compile(
    rf"\b(?:evenings?|bedtime|night|nightly|dinner|supper|pm|qpm|qhs|{_LATE})\b", re.IGNORECASE
)
# The part of the day for which FHIR's codes of a time stand (HL7 v3 TimingEvent and its own EventTiming).
_AM = re.compile(rf"\b(?:am(?!\s+(?:\w*tag|abend|\d))|morning|{_EARLY})\b", re.IGNORECASE)
_PM = re.compile(rf"\b(?:pm|evening|bedtime|{_LATE})\b", re.IGNORECASE)
_PARTS_NAMED = re.compile(
    r"\b(?P<early>mornings?|breakfast|am)\b|(?P<both>\band\b|&|\+|\bund\b)|(?P<end>[.;])"
    r"|\b(?P<late>evenings?|bedtime|night|nightly|dinner|supper|pm)\b",
    re.IGNORECASE,
)
_LAST_PART = 3  # of those that are told apart: the evening and the night
_MOST_PARTS = 50  # of one kind in one text
_NEAR = 25  # letters between a part of the day and the "and" that joins it to another
_MIDDAY = re.compile(
    r"\b(?:noon|midday|lunch|lunchtime|mittags?|midi|mediod[ií]a|mezzogiorno|pranzo|middags|meio-dia|almoço)\b",
    re.IGNORECASE,
)
# Parts of the day beside those, and the meals that stand for one: they count where they are joined to another part.
_BREAKFAST = re.compile(
    r"\b(?:breakfast|vormittags?|frühstück|petit[ -]déjeuner|desayuno|colazione|ontbijt|pequeno-almoço"
    r"|café da manhã)\b",
    re.IGNORECASE,
)
_AFTERNOON = re.compile(
    r"\b(?:afternoons?|nachmittags?|spät|après-midi|goûter|tardes?|merienda|pomeriggio|namiddags?|lanche)\b",
    re.IGNORECASE,
)
_DINNER = re.compile(
    r"\b(?:night|nightly|dinner|supper|abendessen|abendbrot|dîner|cena|avondeten|jantar)\b", re.IGNORECASE
)
_CHOICE = re.compile(
    r"\b(?:or|oder|bzw|ou|oppure|(?:ochtends?|middags?|avonds?) of)\b|(?<!\bp\.)(?<!\bp\. )\bo\b(?!\.)", re.IGNORECASE
)
_AND = re.compile(r"&|\+|\b(?:and|und|u\.|et|y|e|en)(?!\w)", re.IGNORECASE)
# What may stand between two parts of the day at each of which the drug is taken; a choice between them aside.
_JOINED = re.compile(
    r"(?:[\s,/+&()–-]|\d[\d.,]*(?::\d\d)?|\b(?:and|und|u\.|et|y|e|en|plus|again|once|daily|mg|h|uhr|uur"
    r"|tab\w*\.?|tbl\.?|cap\w*"
    r"|kaps\w*|compr\w*|gél\w*|one|two|three|four|take|in|at|on|the|with|after|before|food|meals?"
    r"|breakfast|am|im|um|zum|zur"
    r"|der|dem|den|die|vor|nach|jeden|le|la|les|au|à|a|du|chaque|el|las|al|por|cada|con|alla|il|lo|ogni"
    r"|'?s|de|het|elke|iedere"
    r"|om|bij|met|às|ao|da|pela|todas|tous|tägl(?:ich)?|tgl\.?)(?!\w))*+",
    re.IGNORECASE,
)
_JOINT = re.compile(rf"[,/+–-]|{_AND.pattern}", re.IGNORECASE)  # "in the evening after lunch" has none
_NOT_THEN = re.compile(
    r"\b(?:no|not|never|avoid\w*|without|hold|instead|nicht|kein\w*|ohne|statt|pas|jamais|sans|pause"
    r"|nunca|sin|non|mai|niet|geen|não"
    r"|nunca|sem)\b",
    re.IGNORECASE,
)
_SCHEME = re.compile(r"(?<![\w-])[\d½]-[\d½]-[\d½](?:-[\d½])?(?![\w-])")  # pieces for morning, noon, evening


def times_in(text: str, terms: Terms) -> Decimal | None:
    """How often a day, as words say it: one frequency, nothing else. Parts of the day that are named count each."""
    if _SCHEME.search(text):
        return None
    text = _ONE_WORD_APART.sub(r"\1 daily", text)
    found = {_number(match[1]) for match in _TIMES.finditer(text) if not match[2]}
    if len(found) < len(_TIMES.findall(text)):
        return None
    rest = without_times(text)
    hourly = [int(match[1]) for match in (*_EVERY.finditer(rest), *_FROM_TO.finditer(rest))]
    if any(hours == 0 or 24 % hours for hours in hourly) or _SOME_TIMES.search(rest) or _ONCE_OR_MORE.search(text):
        return None
    if _AT_NEED.search(text) or (not found and not hourly and (_SOME_DAYS.search(rest) or _AT_MEALS.search(rest))):
        return None
    found |= {_DAY / hours for hours in hourly}
    rest = _AM_OF_GERMAN.sub("an", _FROM_TO.sub(" ", _EVERY.sub(" ", rest)))
    found |= {Decimal(times) for times in terms.words["timing"].find_all(rest)}
    if found == {_ONE} and _SO_MANY_OF.search(text):
        return None
    return _by_parts(text) if found == {_ONE} else found.pop() if len(found) == 1 else None


def most_times_in(text: str, terms: Terms) -> Decimal | None:
    """How often a day at most, where words name a range: "two to three times a day"."""
    text = _AT_NEED.sub(" ", text)
    return times_in(_TIMES.sub(lambda each: each[0].replace(each[1] + (each[2] or ""), _last(each)), text), terms)


def _by_parts(text: str) -> Decimal | None:
    """At how many parts of a day, where the words else say once a day; None where nobody can tell."""
    kinds = (_AM, _BREAKFAST), (_MIDDAY,), (_AFTERNOON,), (_PM, _DINNER)
    parts = sorted(
        (found.start(), found.end(), kind)
        for kind, patterns in enumerate(kinds)
        for pattern in patterns
        for found in islice(pattern.finditer(text), _MOST_PARTS)
    )
    named = len({kind for _, _, kind in parts})
    late = [part for part in parts if part[2] == _LAST_PART]
    if any(_AND.search(text, first[1], then[0]) for first, then in pairwise(late)):
        return None  # "in the evening and at bedtime"
    if named <= 1:
        return None if _TWO_HOURS.search(text) else _ONE
    both = _both_in(text)
    if both and not _NOT_THEN.search(both):
        return Decimal(3 if _MIDDAY.search(both) else 2)
    if _NOT_THEN.search(text, max(0, parts[0][0] - _NEAR), parts[-1][1]):
        return None
    between = [(first, then) for first, then in pairwise(parts) if first[2] != then[2]]
    choices = [_CHOICE.search(text, first[0], then[0]) is not None for first, then in between]
    if any(choices):
        alone = named == len(between) + 1 == 2 and not _AND.search(text, parts[0][1], parts[-1][0])
        return _ONE if alone else None
    gaps = [text[first[1] : then[0]] for first, then in between]
    joined = all(_JOINED.fullmatch(gap) and (not gap.strip() or _JOINT.search(gap)) for gap in gaps)
    return Decimal(named) if joined else None


def parts_named(text: str) -> set[str]:
    """The parts of a day that the words name: "morning", "midday", "evening"."""
    named_parts = (("morning", _MORNING), ("midday", _MIDDAY), ("evening", _EVENING))
    return {part for part, named in named_parts if named.search(text)}


def leaves_open(text: str) -> bool:
    """Whether the words name days without the drug, or divide the dose of a day: how often it is taken is not told."""
    return _OPEN.search(text) is not None


def not_each_day(text: str) -> bool:
    """Whether the words name a need, one single dose, chosen days or a pause."""
    return _AT_NEED.search(text) is not None or _SOME_DAYS.search(text) is not None


def skips_days(text: str) -> bool:
    """Whether the words name days without the drug."""
    return any(_DIVIDED.search(found[0]) is None for found in islice(_OPEN.finditer(text), _MOST_PARTS))


def days_between(text: str, terms: Terms) -> bool:
    """Whether the words let days pass between one dose and the next, and say nothing of a day beside it.

    "Daily, blood count once a week" is daily. Days between tests or visits are none of the drug, and doses that take
    turns leave no day out; so only words beside the dose count, and where two doses are named none do.
    """
    rest = _DAYS_BETWEEN.sub(" ", text)
    if rest == text or times_in(rest, terms) is not None or _BY_TURNS.search(rest):
        return False
    if len({found[0].lower() for found in islice(_AMOUNT.finditer(text), _MOST_PARTS)}) > 1:
        return False
    return any(_of_the_dose(text, found) for found in islice(_DAYS_BETWEEN.finditer(text), _MOST_PARTS))


def _of_the_dose(text: str, found: re.Match[str]) -> bool:
    """Whether these words on days stand beside the dose of their own clause, or alone in it."""
    near = max(0, found.start() - _CLAUSE_AT_MOST)
    begun = max((each.end() for each in _CLAUSE.finditer(text, near, found.start())), default=near)
    if _NO_GIVING.search(text, begun, found.start()):
        return False
    named = max((each.end() for each in _AMOUNT.finditer(text, begun, found.start())), default=begun)
    beside = re.findall(r"\w+", text[named : found.start()])
    return all(map(_BESIDE_A_DOSE.fullmatch, beside)) and _AFTER_TIMES.match(text, found.end()) is not None


def without_times(text: str) -> str:
    """The text without its "2 x daily", so that what it counts of a day is not taken for pieces."""
    return _TIMES.sub(" ", text)


def _last(found: re.Match[str]) -> str:
    """The last count of a range."""
    return re.split(_UP_TO, found[2])[-1] if found[2] else found[1]


def _number(written: str) -> Decimal:
    return Decimal(_NUMBERS.get(written.lower()) or written)


def _both_in(text: str) -> str:
    """What stands in the text from a morning to the evening that an "and" joins to it, in one sentence; "" if none."""
    early = joined = None
    for found in _PARTS_NAMED.finditer(text):
        match found.lastgroup:
            case "early":
                early = found
            case "both" if early is not None and found.start() - early.end() <= _NEAR:
                joined = early, found
            case "late" if joined is not None and found.start() - joined[1].end() <= _NEAR:
                return text[joined[0].start() : found.end()]
            case "end":
                early = joined = None
            case _:
                pass
    return ""
