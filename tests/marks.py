"""Marks: requests in which every text, id and token carries a word that stands nowhere else, and the search for it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

MARK = "zq7mark"  # letters and a digit: it survives ids, headers, addresses and lower case
_FREE = frozenset(
    {"text", "display", "note", "comment", "family", "given", "prefix", "suffix", "line", "city", "div", "title"}
    | {"name", "valueString", "description", "conclusion", "patientInstruction", "authorString", "label"}
)  # fmt: skip
_IDS = re.compile(r'"(Patient|Practitioner|Encounter)/([A-Za-z0-9.-]+)"')


def marked(body: bytes, fhir: str = "") -> dict[str, Any]:
    """The same call about a marked patient. `fhir`: the server that it names."""
    text = body.decode()
    patient = json.loads(text)["context"]["patientId"]
    own = f"{MARK}-{patient}"
    text = text.replace(f'"{patient}"', f'"{own}"').replace(f"Patient/{patient}", f"Patient/{own}")
    text = _IDS.sub(lambda found: f'"{found[1]}/{found[2] if MARK in found[2] else f"{MARK}-{found[2]}"}"', text)
    call: dict[str, Any] = _with_words(json.loads(text))
    call["hookInstance"] = f"{MARK}-is-no-uuid"
    call["fhirAuthorization"] = {
        "access_token": f"{MARK}-token", "token_type": "Bearer", "scope": MARK, "subject": MARK, "patient": MARK,
    }  # fmt: skip
    if fhir:
        call["fhirServer"] = fhir
    for resource in _resources(call):
        if resource.get("resourceType") == "Patient":
            resource["name"] = [{"family": MARK, "given": [MARK], "text": MARK}]
            resource["identifier"] = [{"system": f"urn:{MARK}", "value": MARK}]
            resource["telecom"] = [{"system": "phone", "value": MARK}]
            resource["address"] = [{"line": [MARK], "city": MARK}]
        elif "resourceType" in resource and resource["resourceType"] != "Bundle":
            resource["note"] = [{"text": f"{MARK} said on the phone"}]
            resource["text"] = {"status": "generated", "div": f"<div>{MARK}</div>"}
    return call


def _with_words(value: Any, key: str = "") -> Any:
    """Every free text with a mark behind it, so that drugs are still told by their names."""
    if isinstance(value, dict):
        return {name: _with_words(each, name) for name, each in value.items()}
    if isinstance(value, list):
        return [_with_words(each, key) for each in value]
    return f"{value} {MARK}" if isinstance(value, str) and key in _FREE else value


def _resources(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if "resourceType" in value:
            yield value
        for each in value.values():
            yield from _resources(each)
    elif isinstance(value, list):
        for each in value:
            yield from _resources(each)


def headers(**more: str) -> dict[str, str]:
    """Headers in which a caller could carry something."""
    return {
        "User-Agent": f"ehr {MARK}", "X-Request-Id": MARK, "Referer": f"http://{MARK}/", "Cookie": f"sid={MARK}",
        "X-Forwarded-For": MARK, "Content-Type": "application/json", **more,
    }  # fmt: skip


def leaks(places: Mapping[str, bytes]) -> list[str]:
    """Where a mark was found, with a few words around it; also when it is escaped, encoded or in capitals."""
    found = []
    spelt = {MARK, quote(MARK), MARK.encode().hex(), MARK[::-1], *_in_base64(MARK)}
    look = re.compile("|".join(map(re.escape, spelt)).encode(), re.IGNORECASE)
    for name, content in places.items():
        hit = look.search(content)
        if hit:
            found.append(f"{name}: …{content[max(0, hit.start() - 80) : hit.end() + 40]!r}…")
    return found


def _in_base64(word: str) -> Iterator[str]:
    """The parts of a word that stay the same in Base64 wherever it begins."""
    import base64

    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + word.encode()).decode()
        yield encoded[4 if shift else 0 : len(encoded) // 4 * 4 - 4]


def files_below(folder: Path) -> dict[str, bytes]:
    """Every file that a process left below its folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
