"""Genomics: which markers were found or ruled out, in which of their many shapes, and from which specimen."""
