"""The service with faults of our own in it: a check that fails on what it reads, and answers that break. For tests."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import Flask

from cds_service import answer as line
from cds_service.web import serving


def app() -> Flask:
    """The application, broken. An error here says what it stumbled over, as errors of libraries do."""
    first, *others = line.RULES

    def fails(case: Any, subject: Any) -> Any:
        raise ValueError(f"{case.chart.patient_id} {subject} {case.chart.facts}")

    line.RULES = (replace(first, function=fails), *others)
    whole = serving.answer

    def answered(body: bytes, *rest: Any) -> Any:
        if b"break-the-answer" in body:
            raise RuntimeError(body.decode())
        return whole(body, *rest)

    serving.answer = answered
    return serving.from_environment()
