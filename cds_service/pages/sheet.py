"""The build sheet as a page, as Markdown and as JSON: for the analysts who put this service behind an EHR.

It tells what holds for every site. What one tenant has of its own (issuer, codes, servers) is told by the command line.
"""

from __future__ import annotations

import msgspec
from flask import Blueprint, Response, make_response, render_template, request

from cds_service import __version__
from cds_service.answer import Tools
from cds_service.pages.twin import as_json, json_wanted
from cds_service.settings import Settings
from cds_service.sheet import as_markdown, sheet


def build_sheet(settings: Settings, tools: Tools) -> Blueprint:
    """The blueprint."""
    pages = Blueprint(
        "sheet", __name__, template_folder="templates", static_folder="static", static_url_path="/pages/static"
    )
    told = sheet(
        tools.services, tools.clients.default, settings.public_url, __version__, tools.knowledge_version,
        demo=settings.is_demo,
    )  # fmt: skip

    @pages.get("/sheet")
    def page() -> Response:
        """The build sheet for an EHR: hooks, prefetch, scopes, trust, override reasons, acceptance."""
        if request.args.get("format") == "markdown":
            return Response(as_markdown(told), content_type="text/markdown; charset=utf-8")
        if json_wanted():
            return as_json(msgspec.to_builtins(told))
        return make_response(render_template("sheet.html", sheet=told, by_tenant=settings.tenants is not None))

    return pages
