"""The store from the command line: tables, purging, erasing, a new key."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from cds_service.errors import UsageError
from cds_service.hooks.request import FHIR_ID
from cds_service.settings import Settings
from cds_service.store.erase import count, erase
from cds_service.store.purge import purge
from cds_service.store.stand import store_of


def upgraded(settings: Settings) -> dict[str, str]:
    """Bring the tables to this version. Where, and how they stood before. Raises StoreError, SettingsError."""
    store = store_of(settings)
    return {"store": store.place.words, "before": store.upgrade().value}


def erased(settings: Settings, tenant: str | None, patient: str, dry_run: bool) -> dict[str, Any]:
    """Delete all that is kept of one patient, or with `dry_run` only count it. Raises CdsError."""
    if settings.tenants is not None and tenant is None:
        raise UsageError("--tenant is missing: two hospitals may use the same patient id")
    if not FHIR_ID.fullmatch(patient):
        raise UsageError("--patient-file holds no FHIR id: letters, digits, '-' and '.', at most 64")
    store = store_of(settings)
    gone = (count if dry_run else erase)(store, tenant or "", patient)
    store.close()
    return {"store": store.place.words, "erased": not dry_run, **asdict(gone)}


def purged(settings: Settings, days: int | None, now: datetime) -> dict[str, str | int]:
    """Delete what is older than this, else than KEEP_DAYS. How much it was. Raises StoreError, SettingsError."""
    store = store_of(settings)
    kept = settings.keep_days if days is None else days
    gone = purge(store, now - timedelta(days=kept))
    store.close()
    return {"store": store.place.words, "days": kept, "calls": gone.calls, "feedback": gone.feedback}
