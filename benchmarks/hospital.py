"""Hospital mode for the benchmark: a tenant made up on the spot, its key, and an ES384 token for each call."""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from cds_service.settings import SETTINGS

ISSUER = "https://ehr.bench.example/oauth2"


@dataclass(frozen=True, slots=True)
class Hospital:
    """One hospital that may call, with what it signs its calls with."""

    folder: Path
    key: ec.EllipticCurvePrivateKey

    @classmethod
    def opened(cls, folder: Path) -> Hospital:
        """Its files, written into the folder."""
        key = ec.generate_private_key(ec.SECP384R1())
        public = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(key.public_key())) | {"kid": "bench"}
        (folder / "keys.json").write_text(json.dumps({"keys": [public]}), encoding="utf-8")
        (folder / "tenants.toml").write_text(
            f'[[tenant]]\nname = "bench"\nissuer = "{ISSUER}"\njwks_file = "keys.json"\njurisdiction = "US"\n',
            encoding="utf-8",
        )
        return cls(folder, key)

    def settings(self, port: int) -> dict[str, str]:
        """What the service is started with; with the audit store, where there is one."""
        known = {each.name for each in SETTINGS}
        store = {"STORE": f"sqlite:///{self.folder / 'hospital.sqlite3'}", "KEEP": "audit"}
        return {
            "MODE": "hospital", "TENANTS": str(self.folder / "tenants.toml"), "PUBLIC_URL": f"http://127.0.0.1:{port}",
            **{name: value for name, value in store.items() if name in known},
        }  # fmt: skip

    def bearer(self, port: int, path: str) -> str:
        """The value of `Authorization` for one call, never the same."""
        now = int(time.time())
        claims = {
            "iss": ISSUER, "aud": f"http://127.0.0.1:{port}{path}", "iat": now, "exp": now + 600,
            "jti": str(uuid.uuid4()), "sub": "bench",
        }  # fmt: skip
        return f"Bearer {jwt.encode(claims, self.key, 'ES384', {'kid': 'bench'})}"
