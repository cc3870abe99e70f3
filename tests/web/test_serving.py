"""What is loaded before anybody calls: memory and time of the start are those of what a mode needs."""

from __future__ import annotations

import subprocess
import sys

LARGE = {"cryptography", "jwt", "limits", "markdown_it", "pygal", "opentelemetry"}


def test_demo_mode_starts_without_what_only_others_need():
    """Tokens, limits of calls, pages with cards and what is encrypted bring their libraries when they are wanted."""
    made = "from cds_service.web.serving import from_environment; from_environment(); import sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", made], capture_output=True, text=True, check=True)
    loaded = {each.partition(".")[0] for each in done.stdout.split()}
    assert "fhir" in loaded and not loaded & LARGE
