"""Rewrites the stored responses and the table of fhir_samples/: python -m tests.refresh_samples. Read the diff."""

from __future__ import annotations

import json
import sys

from tests.samples import README, readme, respond, samples, table


def main() -> None:
    """Answer every sample anew and say which stored responses changed."""
    changed = 0
    for sample in samples():
        _, body = respond(sample)
        written = json.dumps(json.loads(body), indent=2, ensure_ascii=False) + "\n"
        file = sample.expected_file
        if not file.exists() or file.read_text() != written:
            file.parent.mkdir(exist_ok=True)
            file.write_text(written)
            sys.stdout.write(f"changed: {sample.full_name}\n")
            changed += 1
    README.write_text(readme(table()))
    sys.stdout.write(f"{changed} of {len(samples())} stored responses changed\n")


if __name__ == "__main__":
    main()
