"""The web application: guard, errors and the two blueprints, put together. `serving` gives it the real line."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlsplit

from flask import Flask

from cds_service.answer import Tools
from cds_service.beside import Beside
from cds_service.hooks.feedback import FeedbackCounts
from cds_service.pages.book import Book, Link
from cds_service.settings import Settings
from cds_service.web import errors, guard
from cds_service.web.below import below
from cds_service.web.desk import Desk, OpenDesk, Toolbox
from cds_service.web.hooks_api import Answers, hooks_api
from cds_service.web.lean import Lean
from cds_service.web.operations import operations
from cds_service.web.playground_api import playground_api
from cds_service.web.rates import Rates


def create_app(
    settings: Settings,
    tools: Toolbox,
    answer: Answers,
    desk: Desk | None = None,
    beside: Beside | None = None,
    book: Book | None = None,
) -> Flask:
    """The application that offers the services of `tools` and lets `answer` make the cards.

    `desk`: who may call and with which tools; without one everybody may, as in demo mode. `beside`: who looks on.
    `book`: the pages.
    """
    desk = desk or OpenDesk(tools)
    counts = FeedbackCounts()
    beside = beside or Beside()
    beside = replace(beside, ledgers=(*beside.ledgers, counts))
    app = Lean(__name__)
    app.config["SETTINGS"] = settings
    app.url_map.strict_slashes = False  # "…/" is answered as "…": a redirect would lose the body of a POST
    app.url_map.merge_slashes = False
    guard.register(app, settings)
    errors.register(app)
    rates = Rates(settings, beside.turned_away)
    app.register_blueprint(hooks_api(desk, answer, beside, rates))
    app.register_blueprint(operations(settings, tools, counts, desk, beside))
    if settings.playground and isinstance(tools, Tools):
        app.register_blueprint(playground_api(tools, desk, rates, settings.public_url))
    book = book or Book()
    app.config["NAVIGATION"] = (*book.links, Link("operations.prefetch", "Prefetch table"))
    for chapter in book.chapters:
        app.register_blueprint(chapter)
    app.wsgi_app = below(urlsplit(settings.public_url).path, app.wsgi_app)  # type: ignore[assignment,method-assign]
    return app
