"""Settings: one table of what can be set from outside, read once at the start.

Only `web.app`, `gunicorn.conf.py` and the command line read the environment; everything else is handed a `Settings`.
An empty variable counts as not set, as compose files and shells leave such behind. `docs/settings.md` is this table.
"""

from cds_service.settings.kinds import JURISDICTIONS, LOOPBACK, OFF, ON, ClientProfile, Setting
from cds_service.settings.table import SETTINGS, as_markdown
from cds_service.settings.values import Settings, is_loopback

__all__ = [
    "JURISDICTIONS", "LOOPBACK", "OFF", "ON", "SETTINGS",
    "ClientProfile", "Setting", "Settings", "as_markdown", "is_loopback",
]  # fmt: skip
