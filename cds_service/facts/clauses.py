"""Clauses: where the parts of a text end, and how far from a name a word still speaks of it."""

from __future__ import annotations

import re

NEARBY = 60  # characters: what stands close to a name
FAR = 400  # before a name in which it is denied: in long texts each name would be asked for all of them
NEAR = r"(?:[\w-]+\s+){0,2}"
PART = re.compile(r"[,;|\n]|\.(?=\s|$)")
STOP = re.compile(r"[;|\n]|\.(?=\s|$)")
CLAUSE = re.compile(r"[;|\n](?![^(|]*\))|\.(?=\s|$)")
