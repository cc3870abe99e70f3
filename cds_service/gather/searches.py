"""Searches: the same question in other words, for servers that do not take every parameter or every length.

Only what narrows or widens an answer without changing whose it is may be left out: without a filter a server gives
more, never less, and the readers look at status and code themselves. `patient` always stays.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from urllib.parse import parse_qsl

LONGEST = 1_800  # characters of a query as it is sent: some servers refuse more than 2,048 after the "?"
COUNT = "_count"
PAGE = 200  # entries wanted on a page; unasked, servers give few (Medplum 20), and a long chart is many pages
INCLUDE = "_include"
INCLUDES = {"MedicationRequest": "MedicationRequest:medication"}
MAY_BE_LEFT_OUT = (INCLUDE, "status", "code", COUNT)  # in the order in which a server that refuses is asked without
_CODES = "code="


def kind_of(query: str) -> str:
    """The type of resource that a query asks for."""
    return query.partition("?")[0].partition("/")[0]


def name_of(piece: str) -> str:
    """The name of one parameter, "status" of "status=active"."""
    return piece.partition("=")[0]


def pieces(query: str, name: str = "") -> tuple[str, ...]:
    """Its parameters as they stand, or only those of that name."""
    found = (piece for piece in query.partition("?")[2].split("&") if piece)
    return tuple(piece for piece in found if name in ("", name_of(piece)))


def including(query: str) -> str:
    """The query, which also wants what its matches refer to."""
    wanted = INCLUDES.get(kind_of(query))
    return f"{query}&{INCLUDE}={wanted}" if wanted and "?" in query and not pieces(query, INCLUDE) else query


def counting(query: str) -> str:
    """The search, which also wants large pages. A server that gives fewer links to the next."""
    is_search = "?" in query and "/$" not in query.partition("?")[0]
    return f"{query}&{COUNT}={PAGE}" if is_search and not pieces(query, COUNT) else query


def attempts(optional: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """What to leave out, attempt by attempt: nothing, each piece by itself, then more and more of them.

    By itself first, so that a server which refuses one is not asked without the others for a long time.
    """
    yield ()
    for piece in optional:
        yield (piece,)
    for number in range(2, len(optional) + 1):
        yield optional[:number]


def without(query: str, left_out: Collection[str]) -> str:
    """The query without these pieces."""
    path, mark, _ = query.partition("?")
    return path + mark + "&".join(piece for piece in pieces(query) if piece not in left_out)


def length(query: str) -> int:
    """How long the query is as it travels: the bar behind each system takes three characters."""
    return len(query.replace("|", "%7C"))


def in_parts(query: str, longest: int = LONGEST) -> tuple[str, ...]:
    """The query, or the same as several that are no longer than `longest`: a long list of codes is asked in parts."""
    path, _, search = query.partition("?")
    pieces = search.split("&")
    codes = next((piece for piece in pieces if piece.startswith(_CODES)), "")
    if not codes or length(query) <= longest:
        return (query,)
    head = f"{path}?{'&'.join(piece for piece in pieces if piece is not codes)}&{_CODES}"
    parts: list[str] = []
    for code in codes.removeprefix(_CODES).split(","):
        longer = f"{parts[-1]},{code}" if parts else ""
        if parts and length(longer) <= longest:
            parts[-1] = longer
        else:
            parts.append(f"{head}{code}")
    return tuple(parts)


def as_form(query: str) -> tuple[str, list[tuple[str, str]]]:
    """The query for a search by POST: where it is sent, and the parameters in its body."""
    path, _, search = query.partition("?")
    return f"{path}/_search", parse_qsl(search, keep_blank_values=True)
