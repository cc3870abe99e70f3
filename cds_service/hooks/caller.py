"""Who calls, as far as the call says so itself.

In demo mode the `iss` of a token is a claim and no more: it may choose the form of the cards (`clients`), never what is
read or checked. In hospital mode the token is verified first (`web.desk`).
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass

import msgspec

_LONGEST_TOKEN = 16_384  # characters; a longer one is no token that we look into
_LONGEST_CLAIM = 512


@dataclass(frozen=True, slots=True)
class Caller:
    """The issuer of the caller's token, and the tenant where one issuer speaks for several.

    `hospital`: its name in the file of tenants, once verified.
    """

    issuer: str
    tenant: str = ""
    verified: bool = False
    hospital: str = ""


def claimed(authorization: str | None) -> Caller | None:
    """Who the `Authorization` header claims to be, unverified; None when it names nobody that can be read."""
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token.isascii() or len(token) > _LONGEST_TOKEN or token.count(".") != 2:
        return None
    payload = token.strip().split(".")[1]
    try:
        claims = msgspec.json.decode(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (binascii.Error, ValueError, RecursionError):  # msgspec's errors are ValueErrors
        return None
    if not isinstance(claims, dict):
        return None
    issuer, tenant = _claim(claims.get("iss")), _claim(claims.get("tenant"))
    return Caller(issuer.rstrip("/"), tenant) if issuer else None


def _claim(value: object) -> str:
    return value if isinstance(value, str) and len(value) <= _LONGEST_CLAIM else ""
