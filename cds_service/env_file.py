"""The file `.env` of a checkout: settings as KEY=value, a line each. It is read, never run: nothing in it is expanded.

What the environment says already holds, also where it is empty: `PORT= make serve` leaves one line of the file out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, MutableMapping
from pathlib import Path

from cds_service.errors import SettingsError

_CHECKOUT = Path(__file__).parents[1]
FILE = _CHECKOUT / ".env"
_LINE = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)\s*=\s*(?P<value>[^\0]*)")


def add_to(env: MutableMapping[str, str]) -> str:
    """Add what the file of this checkout says and `env` does not; what was taken, in words. Raises SettingsError."""
    if not (FILE.is_file() and (_CHECKOUT / "gunicorn.conf.py").is_file()):  # an installed package has no such file
        return ""
    told = dict(_lines(FILE))
    taken = [name for name in told if name not in env]
    before = [name for name in told if name in env]
    env.update({name: told[name] for name in taken})
    words = f"{FILE} sets {', '.join(taken) or 'nothing'}"
    return f"{words}; {', '.join(before)} as in the environment" if before else words


def _lines(file: Path) -> Iterator[tuple[str, str]]:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise SettingsError(f"{file} cannot be read: it holds KEY=value lines in UTF-8, or is not there") from None
    for number, line in enumerate(lines, 1):
        bare = line.strip()
        if not bare or bare.startswith("#"):
            continue
        found = _LINE.fullmatch(bare)
        if found is None:
            raise SettingsError(f"{file}, line {number}: expected KEY=value, as .env.example shows it")
        yield found["name"], _unquoted(found["value"])


def _unquoted(value: str) -> str:
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
    return value[1:-1] if quoted else value
