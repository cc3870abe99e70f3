"""Programs that measure; each says how to run it and how long it takes."""
