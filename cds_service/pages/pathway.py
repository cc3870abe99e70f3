"""`/pathway` and `/pathway.svg`: the decision graph, each node explained, with a patient's path lit where asked."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, render_template, request

from cds_service.answer import Tools
from cds_service.pages.graph import SHAPES, SPOKEN, WIDE, Lights, Node, as_query, drawing, from_query, graph
from cds_service.pages.library import Library, Shelves
from cds_service.pages.twin import as_json, json_wanted
from cds_service.rules.catalogue import RULES

_TITLES = {rule.id: rule.title for rule in RULES}


def pathway(tools: Tools) -> Blueprint:
    """The blueprint of the decision graph."""
    pages = Blueprint(
        "pathway", __name__,
        template_folder="templates", static_folder="static", static_url_path="/pages/static",
    )  # fmt: skip
    shelves = Shelves(tools.knowledge, tools.jurisdiction, tools.now)

    @pages.get("/pathway")
    def index() -> str | Response:
        """The pathway at relapse, with one patient's path lit."""
        lights = from_query(request.args.get("lit", ""))
        nodes = [_node(each, lights, shelves.today) for each in graph().nodes.values()]
        if json_wanted():
            path = [list(pair) for pair in zip(graph().path, graph().path[1:], strict=False)]
            groups = {each.id: each.holds for each in graph().groups.values()}
            return as_json({"knowledge": tools.knowledge.version, "nodes": nodes, "groups": groups, "path": path})
        drawings = [drawing(lights, shape) for shape in SHAPES]
        return render_template(
            "pathway.html", drawings=drawings, nodes=nodes, lit=as_query(lights), lights=SPOKEN
        )

    @pages.get("/pathway.svg")
    def picture() -> Response:
        """The picture of the pathway by itself, as SVG."""
        lights = from_query(request.args.get("lit", ""))
        shape = request.args.get("shape", WIDE)
        drawn = drawing(lights, shape if shape in SHAPES else WIDE)
        alone = render_template("pathway.svg", drawn=drawn, legend=SPOKEN if lights else {})
        return Response(alone, mimetype="image/svg+xml")

    return pages


def _node(node: Node, lights: Lights, library: Library) -> dict[str, Any]:
    """A node with its light, its rules by title, and the statements of the pathway that it stands on."""
    light = lights.get(node.id, "")
    lines = [line for line in library.lines if line.topic in node.topics and line.of in ("pathway", "default")]
    return {
        "id": node.id, "words": node.words, "short": node.short, "explains": node.explains,
        "light": light, "light_words": SPOKEN.get(light, ""),
        "rules": [{"id": rule, "title": _TITLES[rule]} for rule in node.rules],
        "group": node.offers, "options": ",".join(_offered(node, library)),
        "statements": [line for line in lines if line.holds],
    }  # fmt: skip


def _offered(node: Node, library: Library) -> tuple[str, ...]:
    """The options that stand at a node, by id."""
    options = library.knowledge.options.values()
    return tuple(each.id for each in options if node.offers and each.group.value == node.offers)
