"""Reloading: knowledge, overlay and tenants are read again while the service runs, and a bad set is refused.

The master process loads the new set as a whole and checks it; only then are new workers started with it, and the old
ones end their calls. So every answer comes from exactly one set. A set that is refused changes nothing but the
readiness, which says file, key and reason until a good one comes.
"""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from flask import Flask

from cards.kept import afresh
from cds_service.beside import Health, Light
from cds_service.errors import CdsError

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Reloads:
    """What became of the reloads of this process, and of those that forked it."""

    taken: int = 0
    refused: str = ""  # why the last one was refused, "" when it was not

    def health(self) -> Health:
        """How it stands with what was to be loaded."""
        return Health(Light.AMBER, self.refused) if self.refused else Health(Light.GREEN)

    def renewed(self, load: Callable[[], Flask]) -> Flask | None:
        """The application with everything read again; None when that was refused. Raises nothing."""
        try:
            with afresh():
                app = load()
        except CdsError as error:
            self._refuse(str(error))
            return None
        except Exception as error:  # noqa: BLE001 - whatever it is, the service goes on with what it has
            self._refuse(f"it broke off ({type(error).__name__}); aml-cds check tells more")
            return None
        finally:
            gc.collect()  # the set that is given up is large, and full of circles
        self.taken, self.refused = self.taken + 1, ""
        log.warning("reloaded: what was read is in force")
        return app

    def _refuse(self, reason: str) -> None:
        at = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
        self.refused = f"the reload of {at} was refused, what was loaded before stays in force: {reason}"
        log.error("%s", self.refused)


RELOADS = Reloads()
