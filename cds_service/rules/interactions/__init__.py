"""Drugs beside each other: exposure, doses beside inhibitors, acid and food, additive QT, the same drug twice."""
