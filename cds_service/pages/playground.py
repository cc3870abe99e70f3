"""The playground: change a made-up patient in the browser, fire a hook, and see the cards beside their reasons.

The patient lives in the browser only. What is here hands out the stories and what the controls offer; the answer
itself is `web.playground_api`.
"""

from __future__ import annotations

from typing import Any

import msgspec
from flask import Blueprint, Response, abort, render_template

from cds_service.answer import Tools
from cds_service.console import samples
from cds_service.errors import CdsError, SampleError
from cds_service.pages.controls import controls
from cds_service.pages.twin import as_json, json_wanted
from cds_service.settings import Settings

_FROM_THE_SERVER = "answers"  # such a story relies on an EHR's FHIR server: the browser sends its record along


def playground(settings: Settings, tools: Tools) -> Blueprint:
    """The blueprint of the page."""
    page = Blueprint(
        "playground", __name__, template_folder="templates", static_folder="static", static_url_path="/pages/static"
    )

    @page.get("/playground")
    def look() -> str | Response:
        """The playground: change a made-up patient, fire a hook, see the cards beside their reasons."""
        if json_wanted():
            return as_json(_offer(settings, tools))
        return render_template("playground.html", stories=_stories())

    @page.get("/playground/stories/<story>/<name>")
    def story(story: str, name: str) -> Response:
        """A made-up patient of the playground: one of its requests, as JSON."""
        try:
            found = samples.find(story)
            sample = found.sample(name)
            record = sample.record if sample.fhir == _FROM_THE_SERVER else b"null"
            return as_json({
                "story": found.name,
                "title": found.title,
                "name": sample.name,
                "shows": sample.shows,
                "now": found.now.isoformat(),
                "request": msgspec.Raw(sample.body),
                "record": msgspec.Raw(record),
            })
        except CdsError:
            abort(404)

    return page


def _offer(settings: Settings, tools: Tools) -> dict[str, Any]:
    """Everything that the page needs to know of the service, as data."""
    now = tools.now()
    snapshot = tools.knowledge.at(now.date(), tools.jurisdiction)
    return {
        "now": now.isoformat(),
        "public_url": settings.public_url,
        "max_body_mb": settings.max_body_mb,
        "knowledge": tools.knowledge_version,
        "services": [
            {
                "id": service.id,
                "hook": service.hook,
                "title": service.title,
                "queries": [{"key": query.key, "template": query.template} for query in service.queries],
            }
            for service in tools.services
        ],
        "stories": _stories(),
        "controls": controls(snapshot, tools.knowledge.terms),
    }


def _stories() -> list[dict[str, Any]]:
    """The stories with their requests; none where the image carries none."""
    try:
        found = samples.stories()
    except SampleError:
        return []
    return [
        {
            "story": story.name,
            "title": story.title,
            "requests": [{"name": each.name, "service": each.service, "shows": each.shows} for each in story.samples],
        }
        for story in found
    ]
