"""HealthChain (PyPI) with two services: a constant card, and the same after validating all that came with it.

Runs in an environment of its own, which holds nothing of this project: python benchmarks/healthchain_app.py PORT
WORKERS
"""

from __future__ import annotations

import sys

import uvicorn
from fhir.resources.R4B import get_fhir_model_class
from healthchain.gateway import CDSHooksService, HealthChainAPI
from healthchain.gateway.cds import CDSHooksConfig
from healthchain.models import CDSRequest, CDSResponse

CARD = {
    "uuid": "00000000-0000-0000-0000-000000000001",
    "summary": "QTcF 512 ms (yesterday): do not start gilteritinib, limit 500 ms",
    "indicator": "critical",
    "detail": "A constant card. " * 40,
    "source": {"label": "benchmark", "url": "http://127.0.0.1/"},
}


def constant(request: CDSRequest) -> CDSResponse:
    """One card, whatever came."""
    return CDSResponse(cards=[CARD])


def validating(request: CDSRequest) -> CDSResponse:
    """The same card, after each resource of prefetch was held against `fhir.resources`."""
    for each in (request.prefetch or {}).values():
        for resource in (entry["resource"] for entry in each["entry"]) if "entry" in each else (each,):
            get_fhir_model_class(resource["resourceType"]).model_validate(resource)
    return CDSResponse(cards=[CARD])


app = HealthChainAPI(title="benchmark")
for handler in (constant, validating):
    service = CDSHooksService(config=CDSHooksConfig(base_path=f"/{handler.__name__}"))
    for hook in ("order-sign", "order-select", "patient-view"):
        service.hook(hook, id=f"aml-{hook}")(handler)
    app.register_service(service)

if __name__ == "__main__":
    port, workers = map(int, sys.argv[1:])
    uvicorn.run("healthchain_app:app", host="127.0.0.1", port=port, workers=workers, log_level="critical")
