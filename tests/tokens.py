"""Tokens as CDS clients sign them, for tests: keys made on the spot, claims as the specification wants them."""

from __future__ import annotations

import json
import time
import uuid
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa

ISSUER = "https://ehr.north.example/oauth2"
JWKS_URL = "https://ehr.north.example/oauth2/jwks"
ENDPOINT = "https://cds.example/cds-services/aml-order-sign"


@cache
def ec_key(kid: str = "ec") -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP384R1())


@cache
def rsa_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, bits)


def jwk(key: Any, kid: str, **more: Any) -> dict[str, Any]:
    """The public half as an entry of a JWK Set."""
    public = key.public_key()
    kind = jwt.algorithms.RSAAlgorithm if isinstance(public, rsa.RSAPublicKey) else jwt.algorithms.ECAlgorithm
    return {**json.loads(kind.to_jwk(public)), "kid": kid, **more}


def key_set(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"keys": list(entries or (jwk(ec_key(), "ec"), jwk(rsa_key(), "rsa")))}


def claims(**changes: Any) -> dict[str, Any]:
    """Claims of a good token; a change to None leaves the claim out."""
    now = int(time.time())
    good = {
        "iss": ISSUER, "aud": ENDPOINT, "iat": now, "exp": now + 300, "jti": str(uuid.uuid4()), "sub": "client",
    } | changes  # fmt: skip
    return {name: value for name, value in good.items() if value is not None}


def token(key: Any = None, algorithm: str = "ES384", headers: dict[str, Any] | None = None, **changes: Any) -> str:
    return jwt.encode(claims(**changes), key or ec_key(), algorithm, {"kid": "ec", **(headers or {})})


def bearer(key: Any = None, algorithm: str = "ES384", headers: dict[str, Any] | None = None, **changes: Any) -> str:
    """The value of the `Authorization` header."""
    return f"Bearer {token(key, algorithm, headers, **changes)}"
