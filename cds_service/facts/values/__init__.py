"""Values: what was measured, in which unit, when, and how sure it is."""
