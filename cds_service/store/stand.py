"""Stand: the store as the settings want it, put together for one process and ready to be handed to the web."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from cds_service.beside import Beside
from cds_service.errors import SettingsError, StoreError
from cds_service.security.replay import Seen, SeenHere
from cds_service.settings import Settings
from cds_service.store.health import StoreHealth
from cds_service.store.keeper import FULL, NOTHING, Keeper
from cds_service.store.keys import Keys
from cds_service.store.ledger import StoredFeedback
from cds_service.store.place import Place
from cds_service.store.purge import forget_tokens, purge_daily
from cds_service.store.seen import SharedSeen
from cds_service.store.store import Store

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Stand:
    """What stands beside the line for the store, and the memory of tokens."""

    beside: Beside
    seen: Seen
    store: Store | None = None
    keeper: Keeper | None = None
    ledger: StoredFeedback | None = None

    def begin(self) -> None:
        """Start what runs behind the answers in this process, instead of with its first call."""
        if self.keeper is not None:
            self.keeper.wake()

    def close(self) -> None:
        """Write what is left, and let go of the store."""
        if self.keeper is not None:
            self.keeper.close()


def store_of(settings: Settings) -> Store:
    """The store of these settings. Raises SettingsError."""
    place = Place.of(settings.store, settings.data, settings.store_password_file)
    return Store(place, _keys(settings, place))


def stand(settings: Settings, now: Callable[[], datetime]) -> Stand:
    """The store at work. Raises SettingsError; a store that cannot be used at the moment keeps nobody from starting.

    With KEEP=nothing there is a store only where tokens are verified, and it holds their marks alone.
    """
    here = SeenHere(time.time)
    if settings.keep == NOTHING and settings.is_demo:
        return Stand(Beside(), here)
    store = store_of(settings)
    seen = None if settings.is_demo else SharedSeen(here, store)
    keeper = Keeper(store, settings.keep, partial(_upkeep, store, seen, settings, now))
    ledger = None if settings.keep == NOTHING else StoredFeedback(store, settings.keep, now)
    try:
        store.prepare()
    except StoreError as error:
        log.error("%s. Calls are answered; it is tried again", error)
    beside = Beside(
        witnesses=(keeper,),
        ledgers=() if ledger is None else (ledger,),
        probes={"store": StoreHealth(store, keeper, seen)},
    )
    return Stand(beside, seen or here, store, keeper, ledger)


def _upkeep(store: Store, seen: SharedSeen | None, settings: Settings, now: Callable[[], datetime]) -> None:
    store.prepare()
    if seen is not None:
        seen.warm()
        forget_tokens(store, now())
    if settings.keep != NOTHING:
        purge_daily(store, settings.keep_days, now)


def _keys(settings: Settings, place: Place) -> Callable[[], Keys]:
    """Where the keys come from. What is wrong with a file that was named is told at once."""
    if settings.keep_key_file is not None:
        keys = Keys.read(settings.keep_key_file)
        return lambda: keys
    if settings.keep == FULL:
        raise SettingsError(
            "KEEP_KEY_FILE is not set, and KEEP=full encrypts what it keeps: make a key with `aml-cds store key`, keep "
            "it apart from the store, and name its file"
        )
    if place.file is None:
        raise SettingsError(
            "KEEP_KEY_FILE is not set, and every replica has to make the same marks in PostgreSQL: make a key with "
            "`aml-cds store key` and name its file"
        )
    return partial(Keys.read_or_make, place.file.with_suffix(".key"))
