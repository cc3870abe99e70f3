"""Drugs: what is ordered, taken or given, matched to its ingredients, with its dose, route and times."""
