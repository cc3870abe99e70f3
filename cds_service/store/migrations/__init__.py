"""How the tables came to be, step by step. Steps are added, never changed."""
