"""The store: what is kept of calls, cards, feedback and tokens, in SQLite or PostgreSQL. It never stands in the line.

Start at `stand.py`, which puts the parts together as the settings say. `tables.py` tells what the data are.
"""
