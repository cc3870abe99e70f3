"""Wild type: what a report says of the unchanged gene, which is no negative wherever it is named.

"FLT3-ITD/WT ratio 0.6" measures a share against it, "kein Wildtyp" denies it, and "Wildtyp in 60 % der Reads" says that
there is more beside it.
"""

from __future__ import annotations

import re

# A share against the wild type: "ITD/WT ratio 0.62", "mutant to wild-type ratio". It is a measure, and no wild type.
_WILD_TYPE = r"(?:wild[- ]?type?|wt|normal)\b(?:\s++alleles?\b)?"
_SHARE = re.compile(
    r"\b(?:ITDs?|duplications?|mutant|mutated|mutation|mutiert|mut)\s*+(?:[/:]|\b(?:to|zu[mr]?)\b|\bvs\b\.?)\s*+"
    rf"{_WILD_TYPE}(?=[\s-]*+(?:allelic\s++|allele\s++)?(?:ratio|quotient|verhältnis)\b|\s*+[=:]?+\s*+[<>]?+\s*+\d)"
    rf"|(?<=\bratio)\s++to\s++{_WILD_TYPE}",
    re.IGNORECASE,
)
_OF_A_CHANGE = "mutat|mutier|mutant|variant|detect|nachw|change|devia|differ|alter|abnorm|abweich|unterschied"
# Of the wild type that it is not there: "kein Wildtyp", "wild-type allele not detected". It is no negative.
_DENIED_WILD_TYPE = re.compile(
    r"\b(?:no|not|non|never|without|kein\w*|nicht|ohne|weder|pas|sans|sin|não|sem|senza|niet|geen|zonder)\s+"
    rf"(?:(?!{_OF_A_CHANGE})[\w-]+\s+){{0,3}}{_WILD_TYPE}"
    rf"|{_WILD_TYPE}(?:[\s-]+all[eè]l\w*)?\s+(?:\w+\s+){{0,2}}(?:(?:not|nicht|non|niet|não|no)\s+"
    r"(?:detect|nachw|nachg|found|present|seen|vorhanden|identif|aanwezig|détect)|absent|lost|missing|fehl|verloren)",
    re.IGNORECASE,
)
# Of the wild type that it is not alone, or was there once: "heterozygot (Wildtyp und mutiertes Allel)", "60 % Wildtyp".
_UNMUTATED = rf"(?:{_WILD_TYPE}\w*|unmutiert\w*|unmutated)"
_SHARE_OF_ALL = r"(?<![\d.,])(?!100\b)\d{1,3}(?:[.,]\d+)?\s*%"
_NOT_ALONE = re.compile(
    r"\bhe(?:tero|mi)zyg|\b(?:loss|verlust|perte|p[ée]rdida|perdita|perda|verlies)\b"
    r"|\b(?:teils|teilweise|part(?:ly|ially)|weitgehend|überwiegend|mostly|predominant\w*|dominan\w*|gemischt|mixed)\b"
    r"|\b(?:but|except|jedoch|aber|außer|bis auf|allerdings|mais|pero|maar|mas)\b"
    r"|\b(?:vormals|ehemals|formerly|bei ED|bei Erstdiagnose|at (?:initial )?diagnosis|v\.\s?a\.)(?!\w)"
    r"|\b(?:wechsel|switch\w*|chang(?:ed|ing)) (?:von|from)\b"
    r"|\b(?:not|nicht|kein\w*)\s+unmut|\boverwegend\b"
    rf"|{_UNMUTATED}\s*(?:/|\+|and\b|und\b|et\b|plus\b|with\b|mit\b)\s*(?:FLT3[\s-]?)?ITD\b"
    r"(?![\s:=,-]*(?:neg|not\b|no\b|absent|nicht|non\b|wild|wt\b|0\b|ratio|quot))"
    rf"|{_UNMUTATED}[\s:,=(]*(?:(?:in|bei|at|ca|to|zu)\b\.?\s*)?{_SHARE_OF_ALL}|{_SHARE_OF_ALL}\s*(?:of\s+)?{_UNMUTATED}",
    re.IGNORECASE,
)
_OF_SHARE = re.compile(rf"{_UNMUTATED}[\s:,=(]*(?:(?:in|bei|at|ca)\b\.?\s*)?{_SHARE_OF_ALL}", re.IGNORECASE)
_NO_MUTANT = re.compile(
    r"\b(?:no|not|non|kein\w*|nicht|ohne|without|sans|sin|geen|niet|zonder)\s+(?:[\w-]+\s+){0,3}mut\w+"
    r"|\bmut\w+(?:[\s-]+\w+)?\s*:?\s*(?:nicht|not|non|niet|negati\w*|absent)\b",
    re.IGNORECASE,
)
_MUTANT = re.compile(r"\bmut(?:ant|ier|é|ad[oa]|at[oae]\b)", re.IGNORECASE)


def denied(text: str) -> bool:
    """Whether the text says of the wild type that it is not there."""
    return _DENIED_WILD_TYPE.search(text) is not None


def has_more(text: str) -> bool:
    """Whether the text says beside the wild type that there is more, or that it was there once."""
    if re.search(_UNMUTATED, text, re.IGNORECASE) is None:
        return False
    return _NOT_ALONE.search(text) is not None or _MUTANT.search(_NO_MUTANT.sub("", text)) is not None


def without_shares(text: str) -> str:
    """The text without the words of a share against the wild type; its number stays."""
    return _SHARE.sub("", text)


def is_a_part(text: str) -> bool:
    """Whether the text gives the wild type as a share of less than all: "Wildtyp in 60 % der Reads"."""
    return _OF_SHARE.search(text) is not None
