"""The pathway: each node explained by its rules and sources, and lit by the checks of a call."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree

import pytest

from cds_service.console import asking, samples
from cds_service.knowledge.load import Knowledge
from cds_service.pages import graph as graphs
from cds_service.pages.graph import SHAPES, as_query, drawing, from_query, graph, lit, offered_groups, open_groups
from cds_service.rules.catalogue import RULES
from cds_service.rules.subjects import the_patient
from cds_service.trace import trace

IDS = {rule.id for rule in RULES}


def test_a_story_at_relapse_lights_its_path(tools):
    story = samples.find("relapse-first-steps")
    sample = next(each for each in story.samples if "view" in each.name)
    made = asking.in_process(sample, replace(tools, now=lambda: story.now)).answer
    groups = offered_groups(made.evaluation)
    lights = lit(trace(made.evaluation), groups)
    assert lights["scope"] == lights["trial"] == lights["stands"] == "here" and groups
    assert all(lights[node.id] == "here" for node in graph().nodes.values() if node.offers in groups)


def test_options_that_wait_for_what_is_missing_stand_open(tools):
    """Fitness is not known in this story: neither intensive nor low-intensity treatment has been looked at and left."""
    story = samples.find("relapse-first-steps")
    sample = next(each for each in story.samples if each.name == "view")
    made = asking.in_process(sample, replace(tools, now=lambda: story.now)).answer
    waiting = open_groups(made.evaluation)
    assert {"intensive", "low-intensity"} <= set(waiting)
    lights = lit(trace(made.evaluation), offered_groups(made.evaluation), waiting)
    assert lights["intensive"] == lights["low-intensity"] == "open" and lights["targeted"] == "here"


def test_what_a_hook_does_not_ask_is_not_said_of_the_patient():
    """Where an order is signed no options are told: that is no word on whether supportive care is for this patient."""
    lights = lit([Told("trial-first", "fired"), Told("options-at-relapse", "not applicable")])
    assert lights["supportive"] == "off" and "patient" not in graphs.SPOKEN["off"]


def test_every_node_names_rules_and_topics_that_exist():
    topics = {each.topic for each in Knowledge.load().statements}
    for node in graph().nodes.values():
        assert set(node.rules) <= IDS and node.rules, node.id
        assert set(node.topics) <= topics, node.id


def test_the_rules_of_first_steps_all_stand_in_the_graph():
    module = "cds_service.rules.relapse"
    of_the_patient = {rule.id for rule in RULES if rule.function.__module__.startswith(module) and _for_all(rule)}
    shown = {rule for node in graph().nodes.values() for rule in node.rules}
    assert of_the_patient <= shown


def _for_all(rule) -> bool:
    return rule.subjects is the_patient


def test_the_groups_of_options_are_those_of_the_knowledge():
    groups = {option.group.value for option in Knowledge.load().options.values()}
    assert groups == {node.offers for node in graph().nodes.values() if node.offers}


@pytest.mark.parametrize("shape", SHAPES)
def test_no_box_lies_on_another_and_none_outside(shape):
    width, height = graph().size[shape]
    boxes = [node.places[shape] for node in graph().nodes.values()]
    for index, (x, y, w, h) in enumerate(boxes):
        assert x >= 0 and y >= 0 and x + w <= width and y + h <= height
        for x2, y2, w2, h2 in boxes[index + 1 :]:
            assert x + w <= x2 or x2 + w2 <= x or y + h <= y2 or y2 + h2 <= y


@pytest.mark.parametrize("shape", SHAPES)
def test_words_fit_their_boxes(shape):
    for box in drawing({}, shape).boxes:
        lines = [*box.lines, *box.quiet]
        assert lines[0][0] >= 13 and lines[-1][0] <= box.place[3] - 4, box.id
        assert all(len(line) * 7.6 <= box.place[2] for _, line in lines), box.id


class Told:
    """A check as far as the graph looks at it."""

    def __init__(self, rule: str, outcome: str) -> None:
        self.rule, self.outcome = rule, outcome


def test_checks_light_the_graph():
    steps = [Told("where-it-stands", "fired"), Told("trial-first", "fired"), Told("donor-search", "clear"),
             Told("transplant-fitness", "not evaluated"), Told("options-at-relapse", "fired"),
             Told("after-response", "not applicable")]  # fmt: skip
    lights = lit(steps, ("targeted",))
    assert {lights[name] for name in ("scope", "stands", "trial", "targeted", "supportive")} == {"here"}
    assert lights["donor"] == "looked" and lights["transplant"] == "open"
    assert lights["intensive"] == "looked" and lights["response"] == "off"


def test_apl_ends_the_path():
    assert lit([Told("scope-apl", "fired"), Told("trial-first", "not applicable")])["scope"] == "ends"


def test_an_address_holds_nodes_and_lights_only():
    lights = lit([Told("trial-first", "fired")])
    assert from_query(as_query(lights)) == lights
    assert set(as_query(lights)) <= set("abcdefghijklmnopqrstuvwxyz:,-")


@pytest.mark.parametrize("odd", ["trial:shining", "nowhere:here", "trial", "<b>:here"])
def test_what_is_neither_node_nor_light_is_refused(client, odd):
    answered = client.get("/pathway.svg", query_string={"lit": odd})
    assert answered.status_code == 400 and "node:light" in answered.text


def test_the_picture_is_xml_with_a_name_and_its_own_colours(client):
    answered = client.get("/pathway.svg?lit=trial:here&shape=narrow")
    root = ElementTree.fromstring(answered.data)
    assert answered.mimetype == "image/svg+xml" and root.get("role") == "img"
    assert "on this patient's path" in answered.text.replace("&#39;", "'")
    assert "<style" not in answered.text and "pathway.css" in answered.text


def test_the_picture_by_itself_has_its_legend_and_no_two_lights_look_alike(client):
    lit = "trial:here,donor:looked,transplant:open,scope:ends,response:off"
    root = ElementTree.fromstring(client.get("/pathway.svg", query_string={"lit": lit}).data)
    assert set(graphs.SPOKEN.values()) <= {"".join(each.itertext()) for each in root.iter("{http://www.w3.org/2000/svg}text")}
    looks = {}
    for node in root.iter("{http://www.w3.org/2000/svg}g"):
        kind, _, light = node.get("class", "").partition(" ")
        if kind == "node" and light:
            rect = node[0]
            names = ("fill", "stroke", "stroke-width", "stroke-dasharray")
            looks.setdefault(light, set()).add(tuple(rect.get(name) for name in names))
    assert set(looks) == set(graphs.SPOKEN) and all(len(each) == 1 for each in looks.values())
    assert len(set.union(*looks.values())) == len(looks)
    assert "looked at" not in client.get("/pathway.svg").text


def test_the_list_tells_what_the_picture_shows(client):
    page = client.get("/pathway?lit=trial:here,donor:open").text
    for node in graph().nodes.values():
        assert f'<li id="{node.id}">' in page
    told = {each["id"]: each for each in client.get("/pathway?lit=trial:here&format=json").json["nodes"]}
    assert told["trial"]["light_words"] == graphs.SPOKEN["here"]
    assert told["mutations"]["statements"] and told["trial"]["rules"][0]["id"] == "trial-first"
