"""Knowledge files: YAML read, and the parts that stand in many of them (citations, states, days).

Nothing is repaired: what is wrong is named with its file and place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from cds_service.errors import KnowledgeError
from cds_service.knowledge.model import Citation, Reference, Verification
from cds_service.knowledge.plain_yaml import SafeLoader


def read_yaml(path: Path) -> dict[str, Any]:
    """The mapping that a file holds."""
    content = _content(path)
    if not isinstance(content, dict):
        raise KnowledgeError(f"{path.name}: expected a mapping at the top")
    return content


def read_list(path: Path) -> list[Any]:
    """The list that a file holds."""
    content = _content(path)
    if not isinstance(content, list):
        raise KnowledgeError(f"{path.name}: expected a list at the top")
    return content


def _content(path: Path) -> Any:
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=AtOnce)  # noqa: S506 - safe, written in C
    except OSError:
        raise KnowledgeError(f"{path.name}: cannot be read; is the installation complete?") from None
    except UnicodeDecodeError:
        raise KnowledgeError(f"{path.name}: is not text in UTF-8") from None
    except yaml.YAMLError as fault:
        raise KnowledgeError(f"{path.name}: not valid YAML: {_place(fault)}") from None
    except RecursionError:
        raise KnowledgeError(f"{path.name}: a part of it holds itself, or lies too deep") from None


def _place(fault: yaml.YAMLError) -> str:
    mark = getattr(fault, "problem_mark", None)
    problem = getattr(fault, "problem", None) or "cannot be read"
    return f"line {mark.line + 1}: {problem}" if mark is not None else str(problem)


class AtOnce(SafeLoader):
    """The same content in half the time: made in one pass, as no part of a file holds itself.

    Whatever is no plain mapping, list or text is left to the base class.
    """

    def construct_document(self, node: yaml.Node) -> Any:
        """What the file holds."""
        return self._made(node)

    def _made(self, node: yaml.Node) -> Any:
        kind, tag = type(node), node.tag
        if kind is yaml.ScalarNode and tag == _TEXT:
            return node.value
        if kind is yaml.SequenceNode and tag == _LIST:
            return [self._made(each) for each in node.value]
        if kind is yaml.MappingNode and tag == _MAPPING and all(_is_plain(key) for key, _ in node.value):
            return {self._made(key): self._made(value) for key, value in node.value}
        return self.construct_object(node, deep=True)


def _is_plain(key: yaml.Node) -> bool:
    """Whether it is a key like any other: no list or mapping, and no other mapping's content."""
    return type(key) is yaml.ScalarNode and key.tag not in _OF_KEYS


_TEXT, _LIST, _MAPPING, *_OF_KEYS = (f"tag:yaml.org,2002:{each}" for each in ("str", "seq", "map", "merge", "value"))


@contextmanager
def in_shape(path: Path) -> Iterator[None]:
    """Whatever stumbles over the shape of this file is told with its name. Raises KnowledgeError."""
    try:
        yield
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as fault:
        raise KnowledgeError(
            f"{path.name}: something in it has another shape than is read here: {type(fault).__name__} {fault}"
        ) from fault


def check_days(days: Mapping[str, Any]) -> None:
    """Refuse what is neither absent nor a day."""
    for name, day in days.items():
        if name != "by" and day is not None and type(day) is not date:
            raise ValueError(f"{name} must be a date, YYYY-MM-DD, found {day!r}")


def verification(state: Any) -> Verification:
    """The state, by its name."""
    try:
        return Verification(state)
    except ValueError:
        known = ", ".join(each.value for each in Verification)
        raise ValueError(f"state must be one of {known}, found {state!r}") from None


def citations(place: str, fields: Any, references: Mapping[str, Reference]) -> tuple[Citation, ...]:
    """One citation or a list of them."""
    cited = fields if isinstance(fields, list) else [fields]
    return tuple(_citation(place, each, references) for each in cited)


def _citation(place: str, fields: Mapping[str, Any], references: Mapping[str, Reference]) -> Citation:
    reference = references.get(fields.get("ref", ""))
    if reference is None:
        raise KnowledgeError(f"{place}, source: reference '{fields.get('ref')}' is not in references.yaml")
    if not fields.get("at"):
        raise KnowledgeError(f"{place}, source: 'at' is missing: name the section or table")
    return Citation(reference, fields["at"], fields.get("says", ""))
