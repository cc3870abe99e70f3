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
from cds_service.reports import Judging
from cds_service.security.links import Mark
from cds_service.security.replay import Seen, SeenHere
from cds_service.settings import ON, Settings
from cds_service.store.health import StoreHealth
from cds_service.store.keeper import FULL, NOTHING, Keeper
from cds_service.store.keys import Keys
from cds_service.store.ledger import StoredFeedback
from cds_service.store.memory import StoredCalls
from cds_service.store.place import Place
from cds_service.store.purge import forget_tokens, purge_daily
from cds_service.store.repeats import AnsweredCards
from cds_service.store.report import report
from cds_service.store.seen import SharedSeen
from cds_service.store.store import Store
from cds_service.store.unknown import UnknownCodes

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Stand:
    """What stands beside the line for the store, and the memory of tokens."""

    beside: Beside
    seen: Seen
    store: Store | None = None
    keeper: Keeper | None = None
    ledger: StoredFeedback | None = None
    not_known: Callable[[str, str, int], object] = lambda *_: None  # is told of codes that no table holds
    repeats: AnsweredCards | None = None

    def marker(self) -> Mark | None:
        """What marks links as ours, once the keys are at hand."""
        keys = self.store.keys_at_hand if self.store is not None else None
        return keys.mark_of_link if keys is not None else None

    def begin(self) -> None:
        """Start what runs behind the answers in this process, instead of with its first call."""
        if self.keeper is not None:
            self.keeper.wake()

    def close(self) -> None:
        """Write what is left, and let go of the store."""
        if self.keeper is not None:
            self.keeper.close()


def has_store(settings: Settings) -> bool:
    """Whether anything is kept: calls, or at least the marks of tokens that were seen."""
    return settings.keep != NOTHING or not settings.is_demo


def store_of(settings: Settings) -> Store:
    """The store of these settings. Raises SettingsError."""
    place = Place.of(settings.store, settings.data, settings.store_password_file)
    return Store(place, _keys(settings, place))


def judging_of(settings: Settings) -> Judging:
    """When a rule counts as changed."""
    return Judging(settings.report_weeks, settings.report_silent_from, settings.report_grew_times)


def stand(
    settings: Settings, now: Callable[[], datetime], not_stored: Callable[[str], object] = lambda _: None
) -> Stand:
    """The store at work. Raises SettingsError; a store that cannot be used at the moment keeps nobody from starting.

    `not_stored` is told of each "call", "feedback" and "token" that could not be written.
    With KEEP=nothing there is a store only where tokens are verified, and it holds their marks alone.
    """
    here = SeenHere(time.time)
    if not has_store(settings):
        cards = _repeats(settings, None, now)
        return Stand(Beside(cards, cards), here, repeats=next(iter(cards), None))
    store = store_of(settings)
    seen = None if settings.is_demo else SharedSeen(here, store, not_stored=partial(not_stored, "token"))
    codes = UnknownCodes(now)
    upkeep = partial(_upkeep, store, seen, codes, settings, now)
    keeper = Keeper(store, settings.keep, upkeep, partial(not_stored, "call"))
    ledger = None
    if settings.keep != NOTHING:
        ledger = StoredFeedback(
            store, settings.keep, now, settings.feedback_per_day, partial(not_stored, "feedback")
        )
    if settings.keep == FULL:
        import cryptography.fernet  # noqa: F401 - here, before the fork, and not in each process at its first call
    try:
        store.prepare()
    except StoreError as error:
        log.error("%s. Calls are answered; it is tried again", error)
    cards = _repeats(settings, None if ledger is None else store, now)
    beside = Beside(
        witnesses=(keeper, *cards),
        ledgers=cards if ledger is None else (ledger, *cards),  # what was not kept is no proof
        report=None if ledger is None else partial(report, store, judging=judging_of(settings)),
        probes={"store": StoreHealth(store, keeper, seen, disk_low_mb=settings.disk_low_mb)},
        memory=None if settings.keep == NOTHING else StoredCalls(store),
    )
    note = (lambda *_: None) if ledger is None else codes.note
    return Stand(beside, seen or here, store, keeper, ledger, note, next(iter(cards), None))


def _repeats(settings: Settings, store: Store | None, now: Callable[[], datetime]) -> tuple[AnsweredCards, ...]:
    return (AnsweredCards(store, settings.repeat_minutes, now),) if settings.repeats == ON else ()


def _upkeep(
    store: Store, seen: SharedSeen | None, codes: UnknownCodes, settings: Settings, now: Callable[[], datetime]
) -> None:
    store.prepare()
    if seen is not None:
        seen.warm()
        forget_tokens(store, now())
    if settings.keep != NOTHING:
        codes.write(store)
        purge_daily(store, settings.keep_days, now)


def _keys(settings: Settings, place: Place) -> Callable[[], Keys]:
    """Where the keys come from. What is wrong with a file that was named is told at once."""
    if settings.keep_key_file is not None:
        keys = Keys.read(settings.keep_key_file)
        return lambda: keys
    if settings.keep == FULL and not settings.is_demo:  # there patients are made up
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
