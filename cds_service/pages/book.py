"""The book: every page that this service has, in the order of its navigation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import Blueprint

from cds_service.answer import Tools
from cds_service.beside import Beside
from cds_service.pages.api import api
from cds_service.pages.sheet import build_sheet
from cds_service.pages.why import why
from cds_service.settings import Settings


@dataclass(frozen=True, slots=True)
class Link:
    """An entry of the navigation: where it leads, and how it is spoken."""

    endpoint: str
    words: str


@dataclass(frozen=True, slots=True)
class Book:
    """The pages as blueprints, and what of them stands in the navigation."""

    chapters: Sequence[Blueprint] = ()
    links: Sequence[Link] = ()


def book(settings: Settings, tools: Tools, beside: Beside) -> Book:
    """Every page that these settings show."""
    chapters = (why(tools, beside), build_sheet(settings, tools), api(settings))
    return Book(chapters, (Link("sheet.page", "Build sheet"), Link("api.page", "API")))
