"""Clients: in which profile a caller's cards are written, by issuer and tenant: settings, overlay, what we ship.

A profile that does not exist, or that cannot be read, stops the start with its place and the reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cards import profile as profiles
from cards.profile import Profile
from cds_service.errors import KnowledgeError, SettingsError
from cds_service.hooks.caller import Caller
from cds_service.knowledge.overlay import PROFILES, LocalProfile, Overlay
from cds_service.knowledge.slips import near, wrong
from cds_service.settings import Settings


@dataclass(frozen=True, slots=True)
class Clients:
    """Every profile, and who gets which."""

    profiles: Mapping[str, Profile]
    routes: Mapping[tuple[str, str], Profile]  # by issuer and tenant; a tenant "" is any
    default: Profile

    def of(self, caller: Caller | None) -> Profile:
        """The profile of this caller: that of its tenant, else of its issuer, else the default."""
        if caller is None:
            return self.default
        of_issuer = self.routes.get((caller.issuer, ""), self.default)
        return self.routes.get((caller.issuer, caller.tenant), of_issuer)

    @classmethod
    def load(cls, settings: Settings, overlay: Overlay | None, orders: Iterable[str]) -> Clients:
        """Everything checked. `orders`: the tests that we may suggest. Raises KnowledgeError or SettingsError."""
        found = dict(_shipped())
        for local in overlay.profiles if overlay else ():
            found[local.name] = _local(local, orders)
        routes = {(issuer.rstrip("/"), ""): each for each in found.values() for issuer in each.issuers}
        for given in settings.client_profiles:
            routes[given.issuer, given.tenant] = _named(given.profile, found, "CLIENT_PROFILES")
        return cls(found, routes, _named(settings.default_profile, found, "DEFAULT_PROFILE"))


def _shipped() -> Mapping[str, Profile]:
    try:
        return profiles.shipped()
    except ValueError as fault:
        raise KnowledgeError(str(fault)) from None


def _local(local: LocalProfile, orders: Iterable[str]) -> Profile:
    """A profile of the hospital's own; it may stand on one of ours, also on that of its own name."""
    place = f"{PROFILES}/{local.name}.yaml"
    try:
        read = profiles.read(local.name, local.told, _shipped())
    except ValueError as fault:
        raise wrong(place, str(fault)) from None
    known = set(orders)
    for order in read.order_codes:
        if order not in known:
            raise wrong(place, f"order_codes: '{order}' is no test that is ever suggested{near(order, known)}")
    return read


def _named(name: str, found: Mapping[str, Profile], setting: str) -> Profile:
    if name not in found:
        raise SettingsError(
            f"{setting} names the profile '{name}', and there is none; there are {', '.join(found)}"
            f"{near(name, found)}"
        )
    return found[name]
