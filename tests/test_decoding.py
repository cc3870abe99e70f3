"""Shapes are learnt by one thread at a time: a library that learns one in two threads takes the process with it."""

from __future__ import annotations

import subprocess
import sys

import msgspec
import pytest

from cds_service.decoding import decode

MANY_AT_ONCE = """
import threading
import msgspec
from cds_service.decoding import decode

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
