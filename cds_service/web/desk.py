"""The desk: whoever comes is asked who they are, and handed on with the tools that their call is answered with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Protocol

from cds_service.hooks.caller import Caller, claimed
from cds_service.hooks.services import Service

if TYPE_CHECKING:  # what verifies tokens is large, and demo mode does without it
    from cds_service.security.callers import Callers


class Toolbox(Protocol):
    """What the web needs of the tools that an answer is made with."""

    @property
    def services(self) -> tuple[Service, ...]:
        """The services on offer."""

    @property
    def knowledge_version(self) -> str:
        """Which medicine they know."""

    @property
    def knowledge_day(self) -> date:
        """Until when it was held against its sources."""


class Desk(Protocol):
    """Who calls, and with which tools they are answered."""

    def receive(self, authorization: str | None, path: str) -> tuple[Caller | None, Toolbox]:
        """The caller of this path and the tools. Raises Unauthorized."""

    @property
    def knowledge(self) -> frozenset[str]:
        """The versions of the knowledge that they are answered with."""

    def state(self) -> Mapping[str, Any]:
        """What those who run the service want to know, without a patient in it."""


@dataclass(frozen=True, slots=True)
class OpenDesk:
    """Demo mode: anybody may call, and is believed only as far as the form of the cards goes."""

    tools: Toolbox

    def receive(self, authorization: str | None, path: str) -> tuple[Caller | None, Toolbox]:
        """The caller of this path and the tools."""
        return claimed(authorization), self.tools

    @property
    def knowledge(self) -> frozenset[str]:
        """The one version."""
        return frozenset((self.tools.knowledge_version,))

    def state(self) -> Mapping[str, Any]:
        """Nothing to tell: nobody is turned away."""
        return {}


@dataclass(frozen=True, slots=True)
class TrustedDesk:
    """Hospital mode: the token is verified before anything is read, for the address in settings and not in Host."""

    callers: Callers
    tools: Mapping[str, Toolbox]  # by issuer
    public_url: str

    def receive(self, authorization: str | None, path: str) -> tuple[Caller | None, Toolbox]:
        """The caller of this path and the tools of its hospital. Raises Unauthorized."""
        tenant = self.callers.check(authorization, self.public_url + path)
        told = claimed(authorization)  # what the token says beside its issuer; its signature has just been verified
        speaks_for = told.tenant if told is not None else ""
        caller = Caller(tenant.issuer.rstrip("/"), speaks_for, verified=True, hospital=tenant.name)
        return caller, self.tools[tenant.issuer]

    @property
    def knowledge(self) -> frozenset[str]:
        """That of each tenant."""
        return frozenset(each.knowledge_version for each in self.tools.values())

    def state(self) -> Mapping[str, Any]:
        """How many callers were turned away, by reason, since the start of this process."""
        return {"callers_turned_away": dict(self.callers.refusals)}
