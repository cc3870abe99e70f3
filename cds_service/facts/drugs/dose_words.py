"""Dose words: the daily dose that the text of an instruction states, alone or beside what is coded.

Alone, only a text with one reading counts. Beside a code, a text that states what several pieces come to is held
against it: there it serves to doubt the code.
"""

from __future__ import annotations

import re
from decimal import Decimal

from cds_service.facts.drugs.amounts import plainly
from cds_service.facts.drugs.times_in_words import most_times_in, times_in, without_times
from cds_service.knowledge.terms import Terms
from cds_service.quantity import Quantity

_IN_TEXT = re.compile(r"(?<![\d.,])(\d[\d.,]*)\s*mg\b(\s*(?:/|per\b)\s*(?!d\b|day)\w)?", re.IGNORECASE)
_WORDS = "two|three|four|five|six|seven|eight|nine|ten"
# The same in other languages, without those that mean something else in another one ("due", "sept").
_ABROAD = (
    "zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn|deux|trois|quatre|cinq|huit|neuf|dix|dos|tres|cuatro|cinco|seis|siete"
    "|ocho|nueve|diez|tre|quattro|cinque|otto|nove|dieci|twee|drie|vijf|zes|zeven|negen|tien|dois|duas|três|quatro|sete"
    "|oito|dez|halbe?[nr]?|demie?|medi[oa]|mezz[oa]|meia"
)
_MANY = rf"(?:[2-9]|\d\d+|\d+[.,]\d+|{_WORDS}|half|{_ABROAD}|due|sept|sei)"
_PIECE = r"(?:tab|tbl|cap|cáp|kaps|kps|pill|gél|compr|drag|stück|stk|stuk|cpr|cps)"
_SPAN = r"(?:d|days?|weeks?|months?|cycles?|doses?|h|hrs?|hours?|tage?)\b"
# Pieces that are counted, before their strength or behind it: "4 tab", "four 100 mg", "100 mg x4", "100 mg tablets: 4".
_COUNTED = re.compile(
    rf"\b{_MANY}\s*(?:x|×|\*|{_PIECE})|\b{_MANY}(?:\s+(?:of\s+)?|\s*\(\s*)\d[\d.,]*\s*mg\b"
    rf"|mg\W{{0,3}}[x×*]\s*{_MANY}\b(?!\s*{_SPAN})"
    rf"|mg\W{{0,2}}{_PIECE}\w{{0,20}}\W+(?:take\s+|give\s+)?{_MANY}\b(?!\s*(?:mg|times?|x|×|{_SPAN}))"
    rf"|\b(?:take|give)\s+{_MANY}\b(?!\s*(?:mg|times?|x|×|{_SPAN}))|[½¼¾]"
    rf"|mg\W{{1,3}}{_MANY}\s+(?:daily|tgl|tägl|auf einmal|at once|à la fois|de una vez|alla volta|tegelijk"
    rf"|de uma vez|quotid|dagelijks|diari)|\bmal\s+{_MANY}\b|[x×]\s*(?:II+|IV|V)\b|\b{_MANY}\s+st\.",
    re.IGNORECASE,
)
_BEFORE = re.compile(r"(\d[\d.,]*)\s*(?:mg\s*)?(?:[-–—/,→>]+|to|then|bis|dann)\s*\Z", re.IGNORECASE)
_MOST_AMOUNTS = 20  # in one instruction: with more it is a letter
_SERIES = 60  # letters before an amount in which the others of its series stand
_A_DAY = re.compile(
    r"\s*(?:/\s*|per\s+|an?\s+|pro\s+|par\s+|al\s+|por\s+|ao\s+)"
    r"(?:d\b|day\b|24\s*h|tag\b|jour\b|j\b|d[ií]a\b|giorno\b|dì\b|dag\b)",
    re.IGNORECASE,
)
_DIVIDED = re.compile(
    r"\b(?:divided|split|aufgeteilt|verteilt|verdeeld|dividid[oa]s?|repartid[oa]s?|suddivis[oa]|divis[oa]|réparti[es]*)\b",
    re.IGNORECASE,
)
_OF_THE_DAY = re.compile(  # what so names an amount speaks of the whole day
    r"\b(?:tagesdosis|gesamtdosis|td|daily dose|total daily|dose (?:totale|journalière|quotidienne"
    r"|giornaliera|diária|total)"
    r"|dosis (?:diaria|total)|dagdosis|dagdosering)\b",
    re.IGNORECASE,
)
_MG_EACH = r"(?<![\d.,])(\d[\d.,]*)\s*mg\b(?!\s*/)"
_TOTAL = re.compile(
    rf"{_MG_EACH}\s*(?:in\s+)?total\b|\btotal(?:\s+(?:dose|of))*+\s*+(?:[:=]\s*+)?{_MG_EACH}", re.IGNORECASE
)
# Pieces of which the text itself says what they come to each time: "4 tablets (400 mg total)".
_COME_TO = re.compile(
    rf"(?<![\w.,/-])(?:\d+(?:[.,]\d+)?|one|half"
    rf"|{_WORDS})\s*(?:\(\w+\)\s*)?{_PIECE}\w*\s*\(\s*{_MG_EACH}\s+total\s*\)",
    re.IGNORECASE,
)
# And the amount of which the text says how many pieces it is: "400 mg = 4 tab(s)".
_IS = re.compile(rf"{_MG_EACH}\s*=\s*(?:\d+(?:[.,]\d+)?)\s*{_PIECE}\w*(?:\(\w\))?", re.IGNORECASE)
_BESIDE = re.compile(rf"(?<![\w.,/-])(\d+|{_WORDS})\s*{_PIECE}\w*\s*\(\s*{_MG_EACH}\s*\)", re.IGNORECASE)
_OF = re.compile(
    rf"(?<![\w.,-])(\d+|{_WORDS})(?:\s*(?:x|×|\*)\s*|\s*{_PIECE}\w*\s+(?:of|à|at)\s+|\s+\(?|\s*\(){_MG_EACH}",
    re.IGNORECASE,
)
_TAKEN = re.compile(rf"(?<![\w.,/-])(\d+|one|{_WORDS})\s*{_PIECE}", re.IGNORECASE)
# What a text counts that is taken in more than a day, or not at all; and where it leaves a choice.
_NOT_OF_A_DAY = re.compile(
    r"\b(?:dispense\w*|supply|qty|quantity|refills?|cycles?|courses?|weeks?|months?)\b", re.IGNORECASE
)
_CHOICE = re.compile(r"\b(?:or|oder)\b", re.IGNORECASE)
# A number in the words of another language that counts neither times nor days, so that it may count pieces.
_LONE = re.compile(
    rf"\b(?:{_ABROAD})\b(?!\s*(?:mal|fois|ve[zc]|volt|{_SPAN}|stunden|wochen?|monate|heures|jours?"
    rf"|semaines?|mois|horas"
    r"|d[ií]as|semanas|meses|ore|giorni|settimane|mesi|uur|dagen|weken|maanden)\b)",
    re.IGNORECASE,
)
_RANGE = re.compile(
    rf"(?:\d|\b(?:one|{_WORDS}|ein\w*|une?|un[ao]|um|uma|een|{_ABROAD}|due))\s*"
    rf"(?:[-–—/]|\b(?:to|or|bis|oder|à|a|ou|o|of|tot|até|e|y|et|und|and|en))\s*(?:\d[\d.,]*|{_WORDS}"
    rf"|{_ABROAD}|due)\s*{_PIECE}",
    re.IGNORECASE,
)
# What says that it goes up in steps.
_STEPS = (
    r"increas\w*|titrat\w*|titul\w*|ramp\w*|reduc\w*|taper\w*|steiger\w*|erhöh\w*|reduzier\w*|ausschleich\w*"
    r"|augment\w*|réduire|rédui\w*|diminu\w*|aument\w*|subir|bajar|ridu\w*|verhog\w*|afbouw\w*|opbouw\w*"
)
_IN_STEPS = re.compile(rf"\b(?:{_STEPS})", re.IGNORECASE)
# What says that it is not the same every day, or not always taken.
_CHANGES = re.compile(
    rf"\b(?:{_STEPS}|then|dann|danach|anschließend|puis|ensuite|luego|después|poi|dopo|daarna|vervolgens|depois"
    r"|until|till|jusqu\w*|hasta|fino|tot|até|additional|extra|more(?! than)|zusätzlich|supplémentaires?|además"
    r"|adicional\w*"
    r"|first|erste\w*|premiers?|premières?|primer\w*|primi|eerste|(?:days?|tag|jour|día|giorno|dag) \d+"
    r"|other day|alternat\w*|altern[eoi]\w*|wechsel|zweiten tag|dritten tag|alle \w+ tage"
    r"|tous les \w+ jours|jours? sur"
    r"|cada \w+ d[ií]as|ogni \w+ giorni|om de dag|as needed|prn|if needed|bedarf|besoin|precis[ae]"
    r"|demanda|necesari\w*"
    r"|necesidad|bisogno|occorrenza|nodig|necessári\w*|max\w*|máx\w*|höchstens|up to|bis zu|instead|statt|was"
    r"|(?<!starting )(?<!start )(?<!starting on )(?:mon|tues|wednes|thurs|fri|satur|sun)days?"
    r"|(?:mon|diens|donners|frei|sams|sonn)tags?|mittwochs?"
    r"|(?:lun|mar|mercre|jeu|vendre|same)di|dimanche|lunes|martes|miércoles|jueves|viernes|sábados?"
    r"|domingos?|luned[iì]"
    r"|marted[iì]|mercoled[iì]|gioved[iì]|venerd[iì]|sabato|domenica|maandag|dinsdag|woensdag|donderdag"
    r"|vrijdag|zaterdag"
    r"|zondag|segundas?|terças?|quartas?|quintas?|sextas?|mo|mi|fr|weekdays?|woche\w*|semaines?|semanas?"
    r"|settiman\w+|wek\w*)"
    rf"\b|(?:\bplus\b|\+)\s*(?:\w+\s+){{0,2}}?(?:\d|{_PIECE}|one\b|half\b|dos[ei]|(?:morning|evening|night|noon|bed)"
    rf"|(?:{_WORDS}|{_ABROAD})\b)",
    re.IGNORECASE,
)
_HOW_MUCH = re.compile(
    rf"\d|\b(?:one|once|twice|half|double|{_WORDS}|{_PIECE}\w*|doses?|daily)\b", re.IGNORECASE
)
_PIECES = {name: Decimal(count) for count, name in enumerate(("one", *_WORDS.split("|")), 1)}


def daily_in(text: str, terms: Terms, strength: Decimal | None = None) -> Quantity | None:
    """A dose written as "400 mg once daily": one amount and one frequency, no count of tablets, nothing else.

    Tablets beside what they come to ("4 tablets (400 mg total)", "400 mg = 4 tab(s)") are that amount, and so are those
    that come to the amount beside them by the `strength` of one: "4 tablets (400 mg)" of 100 mg each.
    "400 mg/day" is what a day comes to. Of a series that goes up ("100/200/400 mg") the last amount is the highest; one
    that goes down has more than one reading.
    """
    text = _IS.sub(r"\1 mg", _COME_TO.sub(r"\1 mg", text))
    text = _BESIDE.sub(lambda found: _come_to(found, strength), text) if strength is not None else text
    matches = list(_IN_TEXT.finditer(text))
    found = {plainly(match[1]) for match in matches}
    if len(matches) > _MOST_AMOUNTS or len(found) != 1 or any(match[2] for match in matches) or _counts_pieces(text):
        return None
    amount, times = found.pop(), times_in(text, terms)
    before = (text[max(0, match.start() - _SERIES) : match.start()] for match in matches)
    if amount is None or any(_goes_down(each, amount) for each in before) or _LONE.search(without_times(text)):
        return None
    if len(matches) > 1 and _IN_STEPS.search(text):
        return None
    a_day = all(_A_DAY.match(text, match.end()) for match in matches)
    if a_day and (times in (None, 1) or _DIVIDED.search(text)):
        return Quantity(amount, "mg/d")
    if times != 1 and (a_day or _DIVIDED.search(text) or _OF_THE_DAY.search(text)):
        return None
    return Quantity(amount * times, "mg/d") if times is not None else None


def _counts_pieces(text: str) -> bool:
    return _COUNTED.search(without_times(text)) is not None


def _come_to(found: re.Match[str], strength: Decimal) -> str:
    """The amount alone where so many pieces of that strength come to it; else what was written."""
    count, amount = _PIECES.get(found[1].lower()) or plainly(found[1]), plainly(found[2])
    return f"{amount} mg" if count is not None and count > 1 and count * strength == amount else found[0]


def daily_pieces(text: str, strength: Decimal, terms: Terms) -> Quantity | None:
    """A dose written as "4 tablets once daily": one number of pieces, of that strength, and one frequency."""
    counted, times = _pieces_in(text), times_in(text, terms)
    if counted is None or times is None or any(each.search(text) for each in (_CHANGES, _RANGE)):
        return None
    if _LONE.search(without_times(text)):
        return None
    if len(_TAKEN.findall(text)) not in (1, times):  # "1 tablet daily in the morning, 1 tablet daily at noon"
        return None
    return Quantity(counted * strength * times, "mg/d")


def varies(text: str) -> bool:
    """Whether the words say that it changes, leave a choice, or count something else than what is taken in a day."""
    return any(each.search(text) for each in (_CHANGES, _RANGE, _CHOICE, _NOT_OF_A_DAY))


def counts_in_words(text: str) -> bool:
    """Whether a number in words, or a half, may count pieces."""
    return _LONE.search(text) is not None or re.search(rf"[½¼¾]|\b(?:due|{_WORDS})\b", text, re.IGNORECASE) is not None


def _goes_down(before: str, amount: Decimal) -> bool:
    """Whether an amount is the last of a series in which a higher one, or one that cannot be read, comes before it."""
    while (match := _BEFORE.search(before)) is not None:
        earlier = plainly(match[1])
        if earlier is None or earlier > amount:
            return True
        before = before[: match.start()]
    return False


def counts(text: str) -> bool:
    """Whether the words may tell how much is taken: a figure, a number in words, or pieces."""
    return _HOW_MUCH.search(text) is not None


def daily_beside(
    single: Decimal, times: Decimal, text: str, terms: Terms, pieces: Decimal | None = None
) -> Quantity | None:
    """What the words say beside a coded dose of so many mg so often a day; None where they state no daily dose.

    They may leave a part of it to the code: how often, or how much. "Daily" beside a coded frequency may only say that
    it goes on, so a frequency alone counts where it is higher. `pieces`: how many the code counts, where it does.
    """
    whole = daily_in(text, terms)
    if whole is not None:
        return whole
    in_words = None if _CHOICE.search(text) else most_times_in(text, terms)
    amount = None if _NOT_OF_A_DAY.search(text) else _total_in(text)
    if amount is not None:
        return Quantity(amount * (times if in_words is None else in_words), "mg/d")
    counted = _pieces_in(text)
    if pieces is not None and counted is not None and counted != pieces:
        return Quantity(single / pieces * counted * (times if in_words is None else in_words), "mg/d")
    if _IN_TEXT.search(text) or in_words is None or in_words <= times:
        return None
    return Quantity(single * in_words, "mg/d")


def _total_in(text: str) -> Decimal | None:
    """The mg that a text says several pieces come to: "(400 mg total)", "4 x 100 mg", "4 tablets of 100 mg"."""
    totals = {plainly(match[1] or match[2]) for match in _TOTAL.finditer(text)}
    if not totals:
        counted = ((found[1].lower(), plainly(found[2])) for found in _OF.finditer(text))
        pieces = ((_PIECES.get(count) or plainly(count), each) for count, each in counted)
        totals = {count * each if count is not None and each is not None else None for count, each in pieces}
    return totals.pop() if len(totals) == 1 else None


def _pieces_in(text: str) -> Decimal | None:
    """How many pieces a text says are taken each time, where it names one number of them and no amount."""
    if _IN_TEXT.search(text) or _CHOICE.search(text) or _NOT_OF_A_DAY.search(text):
        return None
    counts = {_PIECES.get(match[1].lower()) or plainly(match[1]) for match in _TAKEN.finditer(text)}
    return counts.pop() if len(counts) == 1 else None
