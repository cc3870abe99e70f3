"""aml-cds: clinical decision support for relapsed or refractory acute myeloid leukaemia.

The folders are the journey of one request: hooks, gather, facts, rules, then the top-level package `cards`.
Start reading at `answer.py`, the straight line through all of them.
"""

__version__ = "0.1.0"
