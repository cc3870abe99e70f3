"""Intended use in short, for the first page and its JSON. In full it stands in docs/intended-use.md."""

from __future__ import annotations

INTENDED_USE = (
    "Advice beside a clinician's own judgement, on adults with relapsed or refractory acute myeloid leukaemia who are "
    "to receive, or receive, one of the drugs it knows. Every card names what was read, what was not, and the source."
)
# Each: what stands out, and the rest.
LIMITS_OF_USE = (
    (
        "As shipped it is not a medical device.",
        "No regulator has cleared it, and it has not been validated clinically. Whoever uses it for care establishes "
        "what law applies, validates it, has its knowledge signed, and carries the responsibility.",
    ),
    (
        "",
        "It orders nothing, ranks no options, and is no substitute for the current label. It says nothing of newly "
        "diagnosed AML, of children, or of acute promyelocytic leukaemia, beyond saying so.",
    ),
    (
        "",
        "It sees home medication only where an order or a statement on record names it, and no scanned letters, "
        "waveforms, or results under codes that it does not ask for.",
    ),
    ("", "What is missing, old or unreadable is said on a card. An empty answer means: looked, and nothing to say."),
)
