"""What holds for every test."""

from __future__ import annotations

import gc
import os

import hypothesis
import pytest

from cds_service import env_file
from cds_service.settings import SETTINGS

# The same examples everywhere, and no clock: a busy machine must not turn a good change red.
hypothesis.settings.register_profile(
    "steady", derandomize=True, deadline=None, database=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("steady")


def pytest_collection_modifyitems(items):
    """What starts and kills real servers takes its time: `make processes` runs it."""
    if os.environ.get("PROCESSES") != "1":
        for item in items:
            if item.get_closest_marker("processes"):
                item.add_marker(pytest.mark.skip(reason="make processes"))


def pytest_collection_finish():
    """What is there once everything was imported stays until the end: the collector need not look at it each time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def data_of_tests(tmp_path_factory):
    """What a server of a test writes lies apart from what a server of this checkout wrote."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATA", str(tmp_path_factory.mktemp("data")))
        if env_file.FILE.exists():  # it is whoever's checkout this is: processes that tests start leave it out
            for setting in SETTINGS:
                patch.setenv(setting.name, os.environ.get(setting.name, ""))
        patch.setattr(env_file, "FILE", tmp_path_factory.getbasetemp() / "no.env")
        yield
