"""The decision graph as data: its nodes, how a patient's checks light it, and the shapes that a picture is drawn from.

A light is one word for a node; ids of nodes and these words are all that ever stands in an address.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from cds_service.errors import BadRequest
from cds_service.knowledge.files import read_yaml
from cds_service.rules.rule import Evaluation, Fired
from cds_service.trace import Step

GRAPH = Path(__file__).with_name("graph.yaml")
WIDE, NARROW = SHAPES = ("wide", "narrow")
HERE, OPEN, LOOKED, ENDS, OFF = LIGHTS = ("here", "open", "looked", "ends", "off")
SPOKEN = {
    HERE: "on this patient's path",
    OPEN: "open: something is missing",
    LOOKED: "looked at, nothing to do",
    ENDS: "the path ends here",
    OFF: "not asked in this call",
}
_OPTIONS = "options-at-relapse"
_OUTCOMES = {"fired": HERE, "not evaluated": OPEN, "clear": LOOKED}  # by their weight; all others are off
_LETTER, _LINE = 7.6, 17  # px: the mean width of a letter, the height of a line

Lights = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Node:
    """One place in the graph."""

    id: str
    words: str
    short: str
    explains: str
    lights: tuple[str, ...]
    ends: tuple[str, ...]
    offers: str
    topics: tuple[str, ...]
    places: Mapping[str, tuple[int, ...]]

    @property
    def rules(self) -> tuple[str, ...]:
        """Every rule that speaks for it."""
        return tuple(dict.fromkeys((*self.lights, *self.ends, *((_OPTIONS,) if self.offers else ()))))


@dataclass(frozen=True, slots=True)
class Group:
    """A frame around nodes."""

    id: str
    words: str
    holds: tuple[str, ...]
    places: Mapping[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Graph:
    """Nodes, frames, the way through them, and how large each shape is."""

    nodes: Mapping[str, Node]
    groups: Mapping[str, Group]
    path: tuple[str, ...]
    size: Mapping[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Box:
    """A node or frame as drawn: where, its lines, and its light."""

    id: str
    place: tuple[int, ...]
    lines: tuple[tuple[int, str], ...]  # from the top, in px
    quiet: tuple[tuple[int, str], ...]
    light: str


@dataclass(frozen=True, slots=True)
class Arrow:
    """A step of the path, from the foot of one box to the head of the next."""

    x: int
    top: int
    foot: int
    is_lit: bool


@dataclass(frozen=True, slots=True)
class Drawing:
    """Everything that the picture holds."""

    shape: str
    size: tuple[int, ...]
    frames: tuple[Box, ...]
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    told: str


@cache
def graph() -> Graph:
    """The graph as its file says."""
    content = read_yaml(GRAPH)
    nodes = {each["id"]: _node(each) for each in content["nodes"]}
    groups = {
        each["id"]: Group(each["id"], each["words"], tuple(each["holds"]), _places(each)) for each in content["groups"]
    }
    return Graph(nodes, groups, tuple(content["path"]), {name: tuple(each) for name, each in content["size"].items()})


def _node(fields: Mapping[str, Any]) -> Node:
    named = {name: tuple(fields.get(name, ())) for name in ("lights", "ends", "topics")}
    return Node(
        fields["id"], fields["words"], fields["short"], fields["explains"], offers=fields.get("offers", ""),
        places=_places(fields), **named,
    )  # fmt: skip


def _places(fields: Mapping[str, Any]) -> Mapping[str, tuple[int, ...]]:
    return {shape: tuple(fields[shape]) for shape in SHAPES}


def lit(steps: Iterable[Step], offered: Iterable[str] = (), left_open: Iterable[str] = ()) -> Lights:
    """How the checks of one call light the graph.

    `offered`: the groups of options on its card; `left_open`: those with an option that depends on what is missing.
    """
    outcomes: dict[str, list[str]] = {}
    for step in steps:
        outcomes.setdefault(step.rule, []).append(step.outcome)
    groups, waiting = frozenset(offered), frozenset(left_open)
    return {node.id: _light(node, outcomes, groups, waiting) for node in graph().nodes.values()}


def offered_groups(evaluation: Evaluation) -> tuple[str, ...]:
    """The groups of options that the card at relapse tells."""
    return tuple(name for name, *_ in _of_options(evaluation, "groups"))


def open_groups(evaluation: Evaluation) -> tuple[str, ...]:
    """The groups in which an option depends on what is missing: neither offered nor excluded."""
    return tuple(_of_options(evaluation, "open_groups"))


def _of_options(evaluation: Evaluation, name: str) -> Any:
    told = (fired.finding.values for check, fired in evaluation.outcomes(Fired) if check.rule.id == _OPTIONS)
    return next(told, {}).get(name, ())


def _light(
    node: Node, outcomes: Mapping[str, Sequence[str]], offered: frozenset[str], left_open: frozenset[str]
) -> str:
    if any("fired" in outcomes.get(rule, ()) for rule in node.ends):
        return ENDS
    if node.offers in offered:
        return HERE
    if node.offers in left_open:
        return OPEN
    rules = [*node.lights, *([_OPTIONS] if node.offers else [])]
    seen = [outcome for rule in rules for outcome in outcomes.get(rule, ())]
    found = next((light for outcome, light in _OUTCOMES.items() if outcome in seen), OFF)
    lights_itself = any("fired" in outcomes.get(rule, ()) for rule in node.lights)
    return LOOKED if found == HERE and node.offers and not lights_itself else found


def as_query(lights: Lights) -> str:
    """The lights as they stand in an address: "scope:here,trial:here". Nothing of a patient is in it."""
    return ",".join(f"{name}:{light}" for name, light in lights.items())


def from_query(text: str) -> Lights:
    """The lights of an address. Raises BadRequest for what is neither a node nor a light."""
    found = {}
    for part in filter(None, text.split(",")):
        name, _, light = part.partition(":")
        if name not in graph().nodes or light not in LIGHTS:
            raise BadRequest(f"lit: expected node:light with nodes {', '.join(graph().nodes)} and lights "
                             f"{', '.join(LIGHTS)}", "http.lit")  # fmt: skip
        found[name] = light
    return found


def drawing(lights: Lights, shape: str) -> Drawing:
    """The picture of the graph in one shape."""
    whole = graph()
    boxes = tuple(_box(node, lights.get(node.id, ""), shape) for node in whole.nodes.values())
    frames = tuple(
        Box(each.id, each.places[shape], ((_LINE + 3, each.words),), (), "") for each in whole.groups.values()
    )
    pairs = zip(whole.path, whole.path[1:], strict=False)
    arrows = tuple(_arrow(one, other, lights, shape) for one, other in pairs)
    return Drawing(shape, whole.size[shape], frames, boxes, arrows, _told(lights))


def _told(lights: Lights) -> str:
    """The picture in a sentence, for who cannot see it."""
    nodes = graph().nodes
    path = "; ".join(f"{nodes[name].words}: {SPOKEN[light]}" for name, light in lights.items())
    return path or " then ".join(each.words for each in nodes.values())


def _box(node: Node, light: str, shape: str) -> Box:
    place = node.places[shape]
    fits = int((place[2] - 20) / _LETTER)
    lines, quiet = textwrap.wrap(node.words, fits), textwrap.wrap(node.short, fits + 2)
    first = (place[3] - (len(lines) + len(quiet)) * _LINE) // 2 + 13
    told = [(first + index * _LINE, line) for index, line in enumerate((*lines, *quiet))]
    return Box(node.id, place, tuple(told[: len(lines)]), tuple(told[len(lines) :]), light)


def _arrow(one: str, other: str, lights: Lights, shape: str) -> Arrow:
    x, y, width, height = _place(one, shape)
    is_lit = all(_is_lit(name, lights) for name in (one, other))
    return Arrow(x + width // 2, y + height, _place(other, shape)[1], is_lit)


def _place(name: str, shape: str) -> tuple[int, ...]:
    whole = graph()
    return (whole.nodes.get(name) or whole.groups[name]).places[shape]


def _is_lit(name: str, lights: Lights) -> bool:
    held = graph().groups[name].holds if name in graph().groups else (name,)
    return any(lights.get(each) in (HERE, OPEN) for each in held)
