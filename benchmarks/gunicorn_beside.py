"""What stands beside the service is served with the settings of `gunicorn.conf.py`, without what is the service's."""

import gc
import runpy

globals().update(
    {name: value for name, value in runpy.run_path("gunicorn.conf.py").items()
     if not name.startswith("_") and isinstance(value, (str, int, float, bool))}
)  # fmt: skip


def post_fork(server: object, worker: object) -> None:
    """As there: what was loaded before the fork stays shared."""
    gc.freeze()
