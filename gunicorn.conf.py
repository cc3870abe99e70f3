"""How gunicorn serves: from a checkout, from the image and from the command line alike."""

import gc
import os
import resource
import select
import signal
import sys
from contextlib import suppress

from gunicorn import util
from gunicorn.glogging import Logger

from cds_service import __version__
from cds_service.watch import logs, shared

os.environ[shared.VARIABLE] = str(shared.prepare())  # before anything imports prometheus-client
gc.disable()  # until everything is read: what comes now stays, and it would look through all of it again and again
from cds_service.web import serving, unread  # noqa: E402
from cds_service.web.draining import drain_first  # noqa: E402

settings = serving.settings_at_start()  # once: what a reload finds wrong must not stop the server

wsgi_app = "cds_service.web.serving:from_environment()"
bind = settings.bind
workers = settings.workers
worker_class = "gthread"  # a call that waits for a FHIR server must not hold up the others of its process
threads = settings.threads
preload_app = True  # knowledge is read and checked once; a fault in it stops the start
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108 - heartbeats must not wait for a disk
control_socket_disable = True  # it wants a home directory, which the image's user has not

timeout = 30  # a process that gives no sign of life for so long is replaced
graceful_timeout = 15  # for the calls under way, once the door is closed
worker_connections = max(settings.threads + 1, min(1000, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 40))
keepalive = 5
limit_request_line = 2048  # our longest address is far below
limit_request_fields = 64
limit_request_field_size = 16384  # tokens in Authorization can be long
forwarder_headers = ""  # no header may say which path was called: a token is made out to it
accesslog = None  # a line for each call is the application's business
errorlog = "-"
loglevel = settings.log_level.lower()
proc_name = "aml-cds"


class Log(Logger):
    """What gunicorn says goes the way of all our lines."""

    def setup(self, cfg):
        """At the start, and each time that the settings are read."""
        super().setup(cfg)
        logs.configure(settings)


logger_class = Log


def _refuse(connection, status, reason, _):
    """What gunicorn itself refuses: its own page repeats what it could not read."""
    util.write_nonblock(connection, unread.refusal(settings, status, reason))


util.write_error = _refuse


def when_ready(server):
    """Say where to look and what to type next; from now on a stop is said in the readiness first."""
    server.app.wsgi().extensions["warm"]()
    gc.freeze()
    gc.enable()
    drain_first(lambda: server.signal(signal.SIGTERM, None), settings.drain_seconds)
    # Nobody may be reading, and the server must not wait for that.
    if not settings.logs_as_json and sys.stdout is not None and select.select([], [sys.stdout], [], 0)[1]:
        with suppress(OSError):
            _greet(settings.public_url)


def _greet(url):
    print(
        f"\naml-cds {__version__}, {settings.spoken_mode}, listens on http://{bind}\n"
        f"  Look:  {url}/  and  {url}/prefetch\n"
        f"  Type:  curl {url}/cds-services\n"
        f"         aml-cds try            (in a checkout: .venv/bin/aml-cds try)\n"
        f"  Stop:  Ctrl-C\n",
        flush=True,
    )


def on_reload(server):
    """At SIGHUP: the new workers get what was read again, or what was in force where that was refused."""
    server.app.callable = serving.reloaded() or server.app.callable


def child_exit(server, worker):
    """What the process counted stays, what it was at that moment goes."""
    shared.forget(worker.pid)


def on_exit(server):
    """The counts end with the server."""
    shared.release()


def post_worker_init(worker):
    """What the store does behind the answers begins with the process, not with its first call."""
    worker.wsgi.extensions["store"].begin()


def post_fork(server, worker):
    """What was loaded before the fork stays shared: the collector need not look at it again.

    It runs some seven times less often than by default, as a chart is many objects and no circle; but all that came
    since the fork is looked at soon, as that is little: what only it can free had grown by megabytes in a soak
    (`python -m tests.faults soak`).
    """
    gc.freeze()
    gc.set_threshold(5_000, 10, 5)
    gc.enable()
