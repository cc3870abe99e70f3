"""The store from the command line: tables, purging, a new key."""

from __future__ import annotations

from datetime import datetime, timedelta

from cds_service.settings import Settings
from cds_service.store.purge import purge
from cds_service.store.stand import store_of


def upgraded(settings: Settings) -> dict[str, str]:
    """Bring the tables to this version. Where, and how they stood before. Raises StoreError, SettingsError."""
    store = store_of(settings)
    return {"store": store.place.words, "before": store.upgrade().value}


def purged(settings: Settings, days: int | None, now: datetime) -> dict[str, str | int]:
    """Delete what is older than this, else than KEEP_DAYS. How much it was. Raises StoreError, SettingsError."""
    store = store_of(settings)
    kept = settings.keep_days if days is None else days
    gone = purge(store, now - timedelta(days=kept))
    store.close()
    return {"store": store.place.words, "days": kept, "calls": gone.calls, "feedback": gone.feedback}
