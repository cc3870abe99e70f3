"""A hospital's own, read from its overlay folder: values, rules off or in shadow, wording, local codes.

Data only. Nothing is repaired and nothing is passed over: a file that nobody reads, a field that nobody knows, an
entry without reason, owner and date each stop the start. `localise` holds what was read against the knowledge.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from cds_service.errors import KnowledgeError
from cds_service.knowledge.local_codes import LocalCode, read_codes
from cds_service.knowledge.plain_yaml import SafeLoader
from cds_service.knowledge.slips import near, wrong

FILES = ("overlay.yaml", "values.yaml", "rules.yaml", "codes.csv")
TEMPLATES, PROFILES = FOLDERS = ("templates", "profiles")
_ENDINGS = {TEMPLATES: ("md", "a wording"), PROFILES: ("yaml", "a client profile")}
MARKUP = re.compile(r"<[A-Za-z/!]")
_LARGEST = 1_000_000  # bytes in one file
_WHEN = ("reason", "owner", "effective", "until")
_IDENTITY = ("owner", "effective", "contact")


@dataclass(frozen=True, slots=True)
class Decision:
    """Who decided it, why, from when, until when, and where that is written."""

    place: str
    owner: str
    reason: str
    effective: date
    until: date | None

    def in_force(self, day: date) -> bool:
        """Whether it holds on that day."""
        return self.effective <= day and (self.until is None or day < self.until)

    def overlaps(self, other: Decision) -> bool:
        """Whether there is a day on which both hold."""
        return (self.until is None or other.effective < self.until) and (
            other.until is None or self.effective < other.until
        )

    @property
    def words(self) -> str:
        """Whose word it is: "local policy (leukaemia board, 2026-11-01)"."""
        return f"local policy ({self.owner}, {self.effective})"


@dataclass(frozen=True, slots=True)
class LocalValue:
    """A value of the hospital's own: for one statement by its id, or for a question by topic, subject and qualifier."""

    decision: Decision
    statement: str
    topic: str
    about: str
    qualifier: str
    value: Any


@dataclass(frozen=True, slots=True)
class Switch:
    """A rule that the hospital switched off, or lets run in shadow: in the trace, on no card."""

    decision: Decision
    rule: str
    off: bool

    @property
    def words(self) -> str:
        """What was done with the rule, by whom and why."""
        how = "switched off" if self.off else "in shadow, shown on no card,"
        return f"{how} by {self.decision.words}: {self.decision.reason}"


@dataclass(frozen=True, slots=True)
class LocalReasons:
    """The override reasons that a rule offers at this hospital, by their codes."""

    decision: Decision
    rule: str
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LocalProfile:
    """A client profile of the hospital's own, as written: what its keys mean is not known here."""

    name: str
    reason: str
    told: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Overlay:
    """Everything that one overlay folder says."""

    folder: Path
    owner: str
    effective: date
    contact: str
    values: tuple[LocalValue, ...]
    switches: tuple[Switch, ...]
    reasons: tuple[LocalReasons, ...]
    templates: tuple[str, ...]
    codes: tuple[LocalCode, ...]
    profiles: tuple[LocalProfile, ...]
    digest: str

    @classmethod
    def read(cls, folder: Path, pinned: str = "") -> Overlay:
        """The overlay in that folder. Raises KnowledgeError naming file, key and reason.

        `pinned`: the digest that its files must have, where somebody signed for exactly these.
        """
        files = _files(folder)
        digest = _digest(folder, files)
        if pinned and digest != pinned:
            raise KnowledgeError(_not_signed(folder, files, pinned, digest))
        identity = _mapping(folder / "overlay.yaml", _IDENTITY)
        owner = _words("overlay.yaml", identity, "owner")
        effective = _day("overlay.yaml", identity, "effective")
        if effective is None:
            raise wrong("overlay.yaml, effective", "is missing: the first day on which it holds, YYYY-MM-DD")
        ours = _Defaults(owner, effective)
        rules = tuple(_rules(folder / "rules.yaml", ours))
        return cls(
            folder=folder,
            owner=owner,
            effective=effective,
            contact=_words("overlay.yaml", identity, "contact"),
            values=tuple(_values(folder / "values.yaml", ours)),
            switches=tuple(each for each in rules if isinstance(each, Switch)),
            reasons=tuple(each for each in rules if isinstance(each, LocalReasons)),
            templates=tuple(path.stem for path in files if path.parent.name == TEMPLATES),
            codes=tuple(read_codes(folder / "codes.csv", owner, effective)),
            profiles=tuple(_profile(path) for path in files if path.parent.name == PROFILES),
            digest=digest,
        )


@dataclass(frozen=True, slots=True)
class _Defaults:
    owner: str
    effective: date


def _files(folder: Path) -> tuple[Path, ...]:
    """Every file that is read, in order; one that nobody reads is an error."""
    if not folder.is_dir():
        raise KnowledgeError(f"overlay: '{folder}' is not a folder: correct OVERLAY, or unset it")
    found: list[Path] = []
    for path in sorted(folder.iterdir()):
        if path.name.startswith((".", "README")):
            continue
        if path.name in FOLDERS and path.is_dir():
            found += _in_folder(path)
        elif path.name in FILES and path.is_file():
            found.append(path)
        else:
            known = [*FILES, *(f"{folder}/" for folder in FOLDERS)]
            raise wrong(path.name, f"nobody reads it; there are {', '.join(known)}{near(path.name, known)}")
    for path in found:
        if path.stat().st_size > _LARGEST:
            raise wrong(path.name, f"larger than {_LARGEST} bytes")
    if folder / FILES[0] not in found:
        raise wrong(FILES[0], "is missing: it says whose overlay this is, and from when it holds")
    return tuple(found)


def _in_folder(folder: Path) -> Iterator[Path]:
    ending, what = _ENDINGS[folder.name]
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.suffix != f".{ending}" or not path.is_file():
            raise wrong(f"{folder.name}/{path.name}", f"nobody reads it; {what} is a file NAME.{ending}")
        yield path


class _Once(SafeLoader):
    """No key twice: the second would silently win."""

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        """The mapping, if every key stands once."""
        seen = []
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"'{key.value}' stands twice", key.start_mark)
            seen.append(key.value)
        return super().construct_mapping(node, deep)


def _mapping(path: Path, known: Iterable[str]) -> dict[str, Any]:
    """A YAML file with these keys at its top and no others; an absent file says nothing."""
    if not path.is_file():
        return {}
    content = _read(path, path.name)
    _refuse_unknown(path.name, content, known)
    return content


def _profile(path: Path) -> LocalProfile:
    place = f"{PROFILES}/{path.name}"
    told = _read(path, place)
    return LocalProfile(path.stem, _words(place, told, "reason"), told)


def _read(path: Path, place: str) -> dict[str, Any]:
    """The mapping that a YAML file holds."""
    try:
        text = path.read_text(encoding="utf-8")
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=_Once)):
            raise wrong(place, "YAML aliases (*name) are not read: write the entry out")
        content = yaml.load(text, Loader=_Once)  # noqa: S506 - safe, written in C
    except yaml.YAMLError as fault:
        mark = getattr(fault, "problem_mark", None)
        line = f"line {mark.line + 1}: " if mark is not None else ""
        raise wrong(place, f"not valid YAML: {line}{getattr(fault, 'problem', None) or 'cannot be read'}") from None
    except UnicodeDecodeError:
        raise wrong(place, "cannot be read as UTF-8 text") from None
    except (OSError, ValueError) as fault:
        raise wrong(place, f"cannot be read: {fault}") from None
    if not isinstance(content, dict):
        raise wrong(place, "expected a mapping at the top")
    return content


def _refuse_unknown(place: str, fields: Mapping[Any, Any], known: Iterable[str]) -> None:
    names = tuple(known)
    for name in fields:
        if name not in names:
            raise wrong(f"{place}, {name}", f"no such field; there are {', '.join(names)}{near(str(name), names)}")


def _words(place: str, fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not value.strip():
        raise wrong(f"{place}, {name}", "is missing" if value is None else f"expected words, found {value!r}")
    words = " ".join(value.split())
    if not words.isprintable():
        raise wrong(f"{place}, {name}", "holds characters that cannot be seen")
    return words


def _day(place: str, fields: Mapping[str, Any], name: str) -> date | None:
    value = fields.get(name)
    if value is not None and type(value) is not date:
        raise wrong(f"{place}, {name}", f"expected a date, YYYY-MM-DD, found {value!r}")
    return value


def _decision(place: str, fields: Mapping[str, Any], ours: _Defaults) -> Decision:
    owner = _words(place, fields, "owner") if "owner" in fields else ours.owner
    effective = _day(place, fields, "effective") or ours.effective
    until = _day(place, fields, "until")
    if until is not None and until <= effective:
        raise wrong(f"{place}, until", f"{until} is not after effective, {effective}")
    return Decision(place, owner, _words(place, fields, "reason"), effective, until)


def _values(path: Path, ours: _Defaults) -> Iterator[LocalValue]:
    entries = _mapping(path, ("values",)).get("values")
    entries = [] if entries is None else entries
    if not isinstance(entries, list):
        raise wrong(f"{path.name}, values", "expected a list")
    for index, fields in enumerate(entries):
        place = f"{path.name}, values[{index}]"
        if not isinstance(fields, dict):
            raise wrong(place, f"expected a mapping, found {fields!r}")
        _refuse_unknown(place, fields, ("statement", "topic", "about", "qualifier", "value", *_WHEN))
        if "value" not in fields:
            raise wrong(f"{place}, value", "is missing")
        if any(MARKUP.search(str(each)) for each in _flat(fields["value"])):
            raise wrong(f"{place}, value", "holds HTML, which no card shows")
        by_id = "statement" in fields
        if by_id and fields.keys() & {"topic", "about", "qualifier"}:
            raise wrong(place, "name a statement by its id, or a question by topic and about; not both")
        yield LocalValue(
            _decision(place, fields, ours),
            _words(place, fields, "statement") if by_id else "",
            "" if by_id else _words(place, fields, "topic"),
            "" if by_id else _words(place, fields, "about"),
            _words(place, fields, "qualifier") if "qualifier" in fields else "",
            fields["value"],
        )


def _flat(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _rules(path: Path, ours: _Defaults) -> Iterator[Switch | LocalReasons]:
    entries = _mapping(path, ("rules",)).get("rules")
    entries = {} if entries is None else entries
    if not isinstance(entries, dict):
        raise wrong(f"{path.name}, rules", "expected a mapping from rule ids")
    for name, fields in entries.items():
        place = f"{path.name}, {name}"
        if not isinstance(fields, dict):
            raise wrong(place, f"expected a mapping with switch or overrides, and reason, found {fields!r}")
        _refuse_unknown(place, fields, ("switch", "overrides", *_WHEN))
        decision = _decision(place, fields, ours)
        codes = fields.get("overrides", [])
        if not isinstance(codes, list):
            raise wrong(f"{place}, overrides", f"expected a list of codes, found {codes!r}")
        if "overrides" in fields:
            yield LocalReasons(decision, str(name), tuple(map(str, codes)))
        elif "switch" not in fields:
            raise wrong(f"{place}, switch", "is missing: off or shadow; or name override reasons in overrides")
        if "switch" in fields:
            if fields["switch"] not in ("off", "shadow"):
                raise wrong(f"{place}, switch", f"expected off or shadow, found {fields['switch']!r}")
            yield Switch(decision, str(name), fields["switch"] == "off")


def _not_signed(folder: Path, files: Iterable[Path], pinned: str, found: str) -> str:
    named = ", ".join(path.relative_to(folder).as_posix() for path in files)
    return (
        f"overlay '{folder.name}' ({named}): expected the digest {pinned}, found {found}: a file was changed, added or "
        "taken away since it was pinned; restore it, or look at aml-cds diff and pin the new digest: in OVERLAY_SHA256 "
        "(then restart), or in overlay_sha256 of the tenant"
    )


def _digest(folder: Path, files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in files:
        content = path.read_bytes()
        # With its length, so that no file's end can pass for the next file's name.
        digest.update(f"{path.relative_to(folder).as_posix()} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()
