"""What holds for every test."""

from __future__ import annotations

import hypothesis

# The same examples everywhere, and no clock: a busy machine must not turn a good change red.
hypothesis.settings.register_profile(
    "steady", derandomize=True, deadline=None, database=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("steady")
