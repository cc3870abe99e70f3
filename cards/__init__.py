"""Everything a clinician reads: the card grammar and the wording. Knows no medicine, imports nothing of the service."""
