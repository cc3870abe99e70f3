"""Who calls: the JWT of a CDS client, checked against the tenants that a hospital's IT has listed.

The order is that of CDS Hooks' own advice: issuer, audience, times, signature, replay. A caller that is turned away
learns nothing of the reason (401 with one text); the reason is counted, so that IT can tell a clock from a key. Tokens
are neither logged nor kept.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

import jwt

from cds_service.errors import Unauthorized
from cds_service.security.keys import Keys, PublicKey, RemoteKeys, from_file
from cds_service.security.replay import Seen
from cds_service.security.tenants import Tenant

LONGEST_TOKEN = 16 * 1024
LEEWAY_SECONDS = 60
LONGEST_LIFE_SECONDS = 15 * 60
_CLAIMS = ("iss", "aud", "exp", "iat", "jti")


class _Refused(Exception):
    """Why a caller is turned away, as one word for counting."""


@dataclass(frozen=True, slots=True)
class _Known:
    tenant: Tenant
    keys: Keys


class Callers:
    """The callers that are trusted. `check` tells which tenant calls, or raises Unauthorized."""

    def __init__(
        self,
        tenants: tuple[Tenant, ...],
        seen: Seen,
        clock: Callable[[], float],
        told: Callable[[str], object] = lambda _: None,
    ) -> None:
        self._by_issuer = {each.issuer: _Known(each, _keys(each, clock)) for each in tenants}
        self._seen = seen
        self._lock = threading.Lock()
        self._refusals: Counter[str] = Counter()
        self._told = told  # of each refusal, with its reason

    @property
    def refusals(self) -> Mapping[str, int]:
        """How many callers were turned away, by reason, since the start of this process."""
        with self._lock:
            return dict(self._refusals)

    def check(self, authorization: str | None, endpoint: str) -> Tenant:
        """The tenant whose token this `Authorization` header holds, for a call of this URL. Raises Unauthorized."""
        try:
            return self._checked(authorization, endpoint)
        except _Refused as reason:
            self._count(str(reason))
            raise Unauthorized("this caller is not known here: send the CDS client's own token") from None

    def _checked(self, authorization: str | None, endpoint: str) -> Tenant:
        token = _token(authorization)
        header, claimed = _opened(token)
        issuer = claimed.get("iss")
        known = self._by_issuer.get(issuer) if isinstance(issuer, str) else None
        if known is None:
            raise _Refused("issuer")
        claims = _proven(token, _keys_of(known, header), known, header, endpoint)
        self._require_new(claims, known.tenant)
        return known.tenant

    def _require_new(self, claims: Mapping[str, Any], tenant: Tenant) -> None:
        jti = claims["jti"]
        if not isinstance(jti, str) or not 0 < len(jti) <= 500 or not _encodable(jti):
            raise _Refused("claims")
        if self._seen.before(tenant.issuer, jti, float(claims["exp"]) + LEEWAY_SECONDS):
            if tenant.refuses_replay:
                raise _Refused("replay")
            self._count("replay, recorded only")

    def _count(self, reason: str) -> None:
        with self._lock:
            self._refusals[reason] += 1
        self._told(reason)


def _encodable(text: str) -> bool:
    """Whether it is text at all: half of a surrogate pair, which JSON can spell, is none."""
    return not any("\ud800" <= letter <= "\udfff" for letter in text)


def _keys(tenant: Tenant, clock: Callable[[], float]) -> Keys:
    if tenant.jwks_file is not None:
        return from_file(tenant.jwks_file, tenant.algorithms)
    assert tenant.jwks_url is not None
    return RemoteKeys(tenant.jwks_url, clock, tenant.way, tenant.algorithms)


def _token(authorization: str | None) -> str:
    scheme, _, token = (authorization or "").partition(" ")
    token = token.lstrip(" ")  # RFC 9110, 11.4: one space or more
    if scheme.lower() != "bearer" or not token:
        raise _Refused("no token")
    if len(token) > LONGEST_TOKEN or token.count(".") != 2 or not token.isascii():
        raise _Refused("form")
    return token


def _opened(token: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """What the token says of itself, not yet believed."""
    try:
        both = jwt.decode_complete(token, options={"verify_signature": False})
    except (jwt.PyJWTError, ValueError, RecursionError):
        raise _Refused("form") from None
    header, claims = both["header"], both["payload"]
    if "crit" in header or str(header.get("typ", "JWT")).upper() != "JWT" or not isinstance(header.get("kid"), str):
        raise _Refused("form")
    return header, claims


def _keys_of(known: _Known, header: Mapping[str, Any]) -> tuple[PublicKey, ...]:
    tenant = known.tenant
    if header.get("alg") not in tenant.algorithms:
        raise _Refused("algorithm")
    if tenant.jwks_url is not None and header.get("jku", tenant.jwks_url) != tenant.jwks_url:
        raise _Refused("jku")
    keys = known.keys.find(header["kid"], header["alg"])
    if not keys:
        raise _Refused("key")
    return keys


def _proven(
    token: str, keys: tuple[PublicKey, ...], known: _Known, header: Mapping[str, Any], endpoint: str
) -> Mapping[str, Any]:
    """The claims, with the signature of any of these keys; else of one that took their place under the same id."""
    kid, algorithm = header["kid"], header["alg"]
    for key in chain(keys, _others(known.keys, kid, algorithm, keys)):
        claims = _verified(token, key, algorithm, known.tenant, endpoint)
        if claims is not None:
            return claims
    raise _Refused("signature")


def _others(held: Keys, kid: str, algorithm: str, tried: tuple[PublicKey, ...]) -> Iterator[PublicKey]:
    """Asked for only when it comes to them."""
    known = {each.public_numbers() for each in tried}
    yield from (each for each in held.anew(kid, algorithm) if each.public_numbers() not in known)


def _verified(token: str, key: PublicKey, algorithm: str, tenant: Tenant, endpoint: str) -> Mapping[str, Any] | None:
    """The claims; None where another key signed them."""
    try:
        claims: Mapping[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[algorithm],
            audience=[endpoint, *tenant.audiences],
            issuer=tenant.issuer,
            leeway=LEEWAY_SECONDS,
            options={"require": list(_CLAIMS)},
        )
    except jwt.InvalidAudienceError:
        raise _Refused("audience") from None
    except (jwt.ExpiredSignatureError, jwt.ImmatureSignatureError):
        raise _Refused("time") from None
    except jwt.InvalidSignatureError:
        return None
    except (jwt.PyJWTError, ValueError, TypeError, OverflowError):
        raise _Refused("claims") from None
    times = (claims["exp"], claims["iat"])
    if not all(isinstance(each, (int, float)) for each in times):
        raise _Refused("claims")  # "1700000000" as text: a library may take it, the specification does not
    if times[0] - times[1] > LONGEST_LIFE_SECONDS:
        raise _Refused("life")
    return claims
