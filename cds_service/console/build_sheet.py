"""The build sheet of a site at the prompt: with a tenant's own codes, issuer and keys."""

from __future__ import annotations

from cds_service import __version__
from cds_service.console.doctor import tools_of
from cds_service.hooks.caller import Caller
from cds_service.security.tenants import read_tenants
from cds_service.settings import JURISDICTIONS, Settings
from cds_service.sheet import Sheet, sheet


def sheet_of(settings: Settings, tenant: str | None) -> Sheet:
    """The sheet of this tenant; without one, what holds for every site. Raises CdsError."""
    tools, _ = tools_of(settings, tenant)
    every = read_tenants(settings.tenants, JURISDICTIONS, settings.way()) if settings.tenants is not None else ()
    theirs = next((each for each in every if each.name == tenant), None)
    issuer = theirs.issuer.rstrip("/") if theirs else ""
    caller = Caller(issuer, "", verified=True, hospital=theirs.name) if theirs else None
    return sheet(
        tools.services, tools.clients.of(caller), settings.public_url, __version__, tools.knowledge_version,
        demo=settings.is_demo, tenant=theirs,
    )  # fmt: skip
