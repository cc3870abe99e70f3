"""How gunicorn serves: from a checkout, from the image and from the command line alike."""

import gc
import os
import sys

from cds_service import __version__
from cds_service.errors import SettingsError
from cds_service.settings import Settings

try:
    settings = Settings.load(os.environ)
except SettingsError as error:
    sys.exit(f"aml-cds does not start: {error}")

wsgi_app = "cds_service.web.serving:from_environment()"
bind = settings.bind
workers = settings.workers
worker_class = "gthread"  # a call that waits for a FHIR server must not hold up the others of its process
threads = settings.threads
preload_app = True  # knowledge is read and checked once; a fault in it stops the start
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108 - heartbeats must not wait for a disk
control_socket_disable = True  # it wants a home directory, which the image's user has not

timeout = 30  # a process that gives no sign of life for so long is replaced
graceful_timeout = 15
keepalive = 5
limit_request_line = 2048  # our longest address is far below
limit_request_fields = 64
limit_request_field_size = 16384  # tokens in Authorization can be long
forwarder_headers = ""  # no header may say which path was called: a token is made out to it
accesslog = None  # a line for each call is the application's business
errorlog = "-"
loglevel = settings.log_level.lower()
proc_name = "aml-cds"


def when_ready(server):
    """Say where to look and what to type next."""
    url = settings.public_url
    print(
        f"\naml-cds {__version__}, {settings.spoken_mode}, listens on http://{bind}\n"
        f"  Look:  {url}/  and  {url}/prefetch\n"
        f"  Type:  curl {url}/cds-services\n"
        f"         aml-cds try            (in a checkout: .venv/bin/aml-cds try)\n"
        f"  Stop:  Ctrl-C\n",
        flush=True,
    )


def post_worker_init(worker):
    """What the store does behind the answers begins with the process, not with its first call."""
    worker.wsgi.extensions["store"].begin()


def post_fork(server, worker):
    """What was loaded before the fork stays shared: the collector need not look at it again."""
    gc.freeze()
