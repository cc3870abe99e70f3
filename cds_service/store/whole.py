"""Whole: a call as it was, packed so that it can be answered again: request, response, what the FHIR server gave.

The token for the FHIR server is taken out before anything is kept.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from datetime import datetime

import msgspec

from cds_service.answer import Answer
from cds_service.decoding import decode
from cds_service.gather.query import Answered
from cds_service.gather.recorded import Replayed
from cds_service.gather.replies import Status

_TOKEN = b"fhirAuthorization"
_LARGEST = 64 * 1024 * 1024  # bytes unpacked


class _Answered(msgspec.Struct, array_like=True):
    resources: tuple[bytes, ...]
    status: str
    why: str
    notes: tuple[str, ...]


class _Whole(msgspec.Struct):
    request: bytes
    response: bytes
    now: datetime
    refused: str | None
    answers: dict[str, _Answered]


_KEPT = msgspec.msgpack.Decoder(_Whole)  # learnt before threads ask (see `decoding`)


@dataclass(frozen=True, slots=True)
class Whole:
    """A call as it was. `fhir` stands in for the FHIR server."""

    request: bytes  # without the token
    response: bytes
    now: datetime  # the moment that the rules went by
    fhir: Replayed


def without_token(body: bytes, *, was_read: bool = False) -> bytes | None:
    """The request without `fhirAuthorization`; None when it cannot be read, and then nothing of it is kept.

    `was_read`: it was answered, so it can be read. Then it is gone through only where it may hold one, also with a
    letter of its name written by its number.
    """
    if was_read and not _may_hold_a_token(body):
        return body
    try:
        envelope = decode(body, dict[str, msgspec.Raw])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    if envelope.pop("fhirAuthorization", None) is None:
        return body
    return msgspec.json.encode(envelope)


def _may_hold_a_token(body: bytes) -> bool:
    """Whether its name stands anywhere, also with a letter spelled by its number. It is found quicker from behind."""
    return body.rfind(_TOKEN) >= 0 or (b"\\" in body and b"\\u00" in body)


def packed(request: bytes, answer: Answer) -> bytes:
    """The call as bytes, not yet encrypted. `request` is without the token."""
    answers = {
        query: _Answered(each.resources, each.status.name, each.why, each.notes)
        for query, each in answer.asked.answers.items()
    }
    told = _Whole(request, answer.body, answer.evaluation.chart.now, answer.asked.refused, answers)
    return zlib.compress(msgspec.msgpack.encode(told), 1)


def unpacked(content: bytes) -> Whole:
    """The call. Raises ValueError when these bytes are none."""
    try:
        unzipped = zlib.decompressobj()
        told = _KEPT.decode(unzipped.decompress(content, _LARGEST))
        answers = {
            query: Answered(each.resources, Status[each.status], each.why, each.notes)
            for query, each in told.answers.items()
        }
    except (zlib.error, msgspec.MsgspecError, KeyError) as error:
        raise ValueError("no call as this version keeps it") from error
    return Whole(told.request, told.response, told.now, Replayed(told.refused, answers))
