"""Doors: who may open what is not for strangers. To others the address does not exist."""

from __future__ import annotations

from flask import request

from cds_service.settings import LOOPBACK, ON, is_loopback

_OF_PROXIES = ("Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP")


def is_let_in(setting: str) -> bool:
    """As off, loopback or on says; a proxy on this machine speaks for strangers, and is known by its headers."""
    if setting != LOOPBACK:
        return setting == ON
    return is_loopback(request.remote_addr or "") and not any(name in request.headers for name in _OF_PROXIES)
