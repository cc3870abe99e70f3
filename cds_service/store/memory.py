"""Memory: what the store still knows of the call in which a card was shown. Only reads."""

from __future__ import annotations

import time

from sqlalchemy import Connection, select

from cds_service.beside import Ending, Remembered, Shown
from cds_service.errors import StoreError
from cds_service.store import endings, whole
from cds_service.store.store import Store
from cds_service.store.tables import CALL, CARD, WHOLE

_PAUSES = (0.05, 0.15, 0.3, 0.5, 0.7)  # seconds: a card may be asked about before the keeper has written it


class StoredCalls:
    """The calls of this store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def of_card(self, uuid: str) -> Remembered | None:
        """What is kept of the call in which this card was shown. Raises StoreError."""
        for pause in _PAUSES:
            found = self._looked_up(uuid)
            if found is not None:
                return found
            time.sleep(pause)
        return self._looked_up(uuid)

    def _looked_up(self, uuid: str) -> Remembered | None:
        with self._store.reading() as connection:
            return self._found(connection, uuid)

    def _found(self, connection: Connection, uuid: str) -> Remembered | None:
        asked = select(CARD.c.position, CALL).join(CALL, CARD.c.call == CALL.c.id).where(CARD.c.uuid == uuid)
        call = connection.execute(asked).mappings().first()
        if call is None:
            return None
        cards = select(CARD.c.uuid, CARD.c.topic, CARD.c.indicator, CARD.c.suggestions)
        sealed = connection.execute(select(WHOLE.c.sealed).where(WHOLE.c.call == call["id"])).scalar()
        unpacked, lost = self._unpacked(sealed)
        return Remembered(
            at=call["at"], service=call["service"], hook=call["hook"], tenant=call["tenant"],
            software=call["software"], knowledge=call["knowledge"], place=call["position"],
            cards=tuple(
                Shown(*row)
                for row in connection.execute(cards.where(CARD.c.call == call["id"]).order_by(CARD.c.position))
            ),
            endings=tuple(
                Ending(*(row[name] for name in Ending.__slots__)) for row in endings.of_call(connection, call)[0]
            ),
            not_applicable=call["not_applicable"],
            whole=unpacked,
            lost=lost,
        )  # fmt: skip

    def _unpacked(self, sealed: bytes | None) -> tuple[whole.Whole | None, str]:
        """The whole call, or why it cannot be read."""
        if sealed is None:
            return None, ""
        keys = self._store.keys_at_hand
        if keys is None:
            raise StoreError("the keys of the store are not at hand")
        content = keys.unseal(sealed)
        if content is None:
            return None, "the key that it was encrypted with is not there any more"
        try:
            return whole.unpacked(content), ""
        except ValueError:
            return None, "another version of this service kept it"
