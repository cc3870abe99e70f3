"""Faults: programs that hurt the service as it is started, over HTTP, and say in figures how it took that.

`python -m tests.faults` runs them all in their short form (`make faults`), `--long` as before a release.
"""
