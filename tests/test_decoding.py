"""Shapes are learnt by one thread at a time: a library that learns one in two threads takes the process with it."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.decoding import as_meant, decode

MANY_AT_ONCE = """
import threading
import msgspec
from cds_service.decoding import as_meant, decode

class Inner(msgspec.Struct):
    code: "str | None" = None

def shape(number):
    fields = [(f"f{each}", "list[Inner] | None", None) for each in range(30)]
    return msgspec.defstruct(f"Shape{number}", fields, module=__name__)

for number in range(150):
    fresh, gate, read = shape(number), threading.Barrier(8), []
    def go():
        gate.wait()
        read.append(decode(b'{"f1": [{"code": "x"}]}', fresh).f1[0].code)
    threads = [threading.Thread(target=go) for _ in range(8)]
    [each.start() for each in threads]
    [each.join() for each in threads]
    assert read == ["x"] * 8
print("well")
"""


def test_eight_threads_learn_a_shape_together_and_live():
    done = subprocess.run([sys.executable, "-c", MANY_AT_ONCE], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout.strip()) == (0, "well"), done.stderr[-500:]


@pytest.mark.parametrize("raw", [b'{"a": "\xff"}', b'{"\xff": "a"}', b'"\xc0\x80"'])
def test_what_is_not_utf_8_cannot_be_decoded_and_nobody_need_think_of_it(raw):
    with pytest.raises(msgspec.DecodeError):
        decode(raw, str if raw.startswith(b'"') else dict[str, str])


@pytest.mark.parametrize(("sent", "meant"), [
    (rb'"well \ud83d"', rb'"well \ufffd"'),
    (rb'"\uDE00 well"', rb'"\ufffd well"'),
    (rb'"\ud83d\ude00"', rb'"\ud83d\ude00"'),
    (rb'"\ud83d\ud83d\ude00"', rb'"\ufffd\ud83d\ude00"'),
    (rb'"\ud83d\ude00\ude00"', rb'"\ud83d\ude00\ufffd"'),
    (rb'"\\ud83d"', rb'"\\ud83d"'),  # a backslash, and letters behind it
    (rb'"\\ud83d\ude00"', rb'"\\ud83d\ufffd"'),
    (rb'"\\\ud83d\\"', rb'"\\\ufffd\\"'),
    (rb'"\n\\\"\ud83d"', rb'"\n\\\"\ufffd"'),
    (b'\xef\xbb\xbf{"a": 1}', b'{"a": 1}'),
    (b'\x00"\\ud83d"', b'\x00"\\ud83d"'),
])
def test_half_of_a_letter_is_replaced_and_nothing_else(sent, meant):
    assert as_meant(sent) == meant


PIECES = ["\\", "\\\\", '\\"', "\\n", "u", "ud83d", "\\ud83d", "\\ude00", "x", "é"]


@given(st.lists(st.sampled_from(PIECES), max_size=12))
def test_what_python_reads_is_read_alike_but_for_halves(pieces):
    sent = f'"{"".join(pieces)}"'
    try:
        told = json.loads(sent)
    except ValueError:
        return
    read = decode(as_meant(sent.encode()), str)
    assert read == "".join("\ufffd" if "\ud800" <= each <= "\udfff" else each for each in told)


@pytest.mark.parametrize("piece", [rb"\\", rb"\ud83d", rb"\ud83d\ude00", b"\\", rb"\u"])
def test_a_large_body_of_halves_takes_no_long_time(piece):
    sent = piece * (4_000_000 // len(piece))
    begun = time.perf_counter()
    as_meant(sent)
    assert time.perf_counter() - begun < 2
