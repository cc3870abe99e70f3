"""Replay: a call that was kept is answered again, as of its day, and held against what was answered then.

What was kept whole (KEEP=full) is answered again. Of the rest only the rows can be held against their seal: a value
that was not kept cannot be checked twice.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import msgspec

from cards.write import written
from cds_service import __version__
from cds_service.answer import Answer, Tools, answer, load_tools, load_tools_of_tenants
from cds_service.console.reporting import opened
from cds_service.errors import CdsError, UsageError
from cds_service.repeats import NOT_AGAIN
from cds_service.security.links import PATH
from cds_service.security.tenants import read_tenants
from cds_service.settings import JURISDICTIONS, Settings
from cds_service.store.endings import endings_of
from cds_service.store.replaying import Kept, between, find
from cds_service.store.whole import Whole

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SECONDS = 60.0  # for one answer: a replay is in no hurry
MOST_CALLS = 1_000


@dataclass(frozen=True, slots=True)
class Replay:
    """What became of one call. `differences`: in words; none means that the same was answered again."""

    call: str
    at: datetime
    service: str
    tenant: str
    status: int
    answered_with: str  # the knowledge of then
    software: str
    replayed_with: str  # the knowledge of now; "" when it was not answered again
    intact: bool | None  # whether the rows are as written; None without a seal
    differences: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def same(self) -> bool:
        """Whether nothing is amiss, as far as could be seen."""
        return not self.differences and self.intact is not False


def replayed(settings: Settings, start: str) -> Replay:
    """The call whose id begins so. Raises UsageError, StoreError, SettingsError, KnowledgeError."""
    if not re.fullmatch(r"[0-9a-f]{4,32}", start):
        raise UsageError(f"'{start}' is no id of a call: it has 32 hexadecimal digits, and the log line names it")
    store = opened(settings)
    found = find(store, store.prepare(), start)
    store.close()
    if len(found) != 1:
        raise UsageError(
            f"no call of this id is kept: {start}" if not found else f"several calls begin so: give more of {start}"
        )
    return _one(found[0], _Toolboxes(settings))


def replayed_all(
    settings: Settings, since: datetime, until: datetime, tenant: str | None, tell: Callable[[str], None]
) -> tuple[Replay, ...]:
    """Every call of this time that was answered, the newest first, at most a thousand."""
    store = opened(settings)
    found = between(store, store.prepare(), since, until, tenant, MOST_CALLS)
    store.close()
    tools = _Toolboxes(settings)
    told = []
    for place, kept in enumerate(found, 1):
        tell(f"call {place} of {len(found)}")
        told.append(_one(kept, tools))
    return tuple(told)


class _Toolboxes:
    """The tools of each tenant, loaded when the first call wants them."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._found: Mapping[str, Tools] | None = None

    def of(self, tenant: str) -> Tools | None:
        if self._found is None:
            self._found = self._loaded()
        return self._found.get(tenant)

    def _loaded(self) -> Mapping[str, Tools]:
        if self._settings.tenants is None:
            return {"": load_tools(self._settings)}
        tenants = read_tenants(self._settings.tenants, JURISDICTIONS, self._settings.way())
        by_issuer = load_tools_of_tenants(self._settings, tenants)
        return {tenant.name: by_issuer[tenant.issuer] for tenant in tenants}


def _one(kept: Kept, tools: _Toolboxes) -> Replay:
    notes = [f"{kept.unreadable}: it cannot be answered again"] if kept.unreadable else []
    differences: list[str] = []
    version = ""
    status, cause = kept.call["status"], kept.call["cause"]
    if cause:
        notes.append(f"it was not answered ({cause}, HTTP {status}): there is nothing to hold against")
    elif kept.intact is None:
        notes.append("no seal was kept of its rows: whether one was changed cannot be told")
    if kept.other_request:
        differences.append("the request that was kept is not the one that came")
    if kept.whole is not None:
        found = tools.of(kept.call["tenant"])
        if found is None:
            notes.append(f"there is no tenant '{kept.call['tenant']}' here now: it cannot be answered again")
        else:
            version = found.knowledge_version
            differences += _again(kept, kept.whole, found)
            notes += _versions(kept, version)
    elif not kept.unreadable and not cause:
        notes.append("request and values were not kept (KEEP=audit): only its rows were held against their seal")
    call = kept.call
    return Replay(
        call["id"], call["at"], call["service"], call["tenant"], call["status"], call["knowledge"], call["software"],
        version, kept.intact, tuple(differences), tuple(notes),
    )


def _versions(kept: Kept, version: str) -> list[str]:
    told = []
    if version != kept.call["knowledge"]:
        told.append(
            f"answered again with knowledge {version}, not with {kept.call['knowledge']} that answered then: "
            "differences may be those of the knowledge. For the very same, run this in that release with that overlay"
        )
    if kept.call["software"] != __version__:
        told.append(f"answered again by version {__version__}, then it was {kept.call['software']}")
    if any(row["cause"] == "no time left" for row in kept.outcomes):
        told.append("then time ran out before every check was made; now there was time enough")
    return told


def _again(kept: Kept, whole: Whole, tools: Tools) -> list[str]:
    """What differs when it is answered again, as of its moment, with what the FHIR server gave then."""
    service = next((each for each in tools.services if each.id == kept.call["service"]), None)
    if service is None:
        return [f"there is no service '{kept.call['service']}' now"]
    then = replace(
        tools, fhir=whole.fhir, now=lambda: whole.now, answer_seconds=_SECONDS, gather_seconds=_SECONDS / 2
    )
    try:
        made = answer(whole.request, service, then)
    except CdsError as error:
        return [f"it is refused now: {error}"]
    except LookupError:
        return ["it asks the FHIR server now for what it did not ask then: it cannot be answered again"]
    return [*_outcomes_differ(kept, made), *_cards_differ(kept, whole, made, tools)]


def _outcomes_differ(kept: Kept, made: Answer) -> list[str]:
    before, now = _counted(kept.outcomes), _counted(endings_of(made)[0].rows)
    return [
        *(f"no more: {_spoken(*key)}" for key in before if now[key] < before[key]),
        *(f"new: {_spoken(*key)}" for key in now if before[key] < now[key]),
    ]


_Key = tuple[str, str, str, str]


def _counted(rows: Iterable[Mapping[str, Any]]) -> Counter[_Key]:
    counts: Counter[_Key] = Counter()
    for row in rows:
        counts[row["rule"], row["outcome"], row["level"], row["cause"]] += int(row["times"])
    return counts


def _spoken(rule: str, outcome: str, level: str, cause: str) -> str:
    return f"{rule} {outcome}" + (f", {level}" if level else "") + (f" ({cause})" if cause else "")


def _cards_differ(kept: Kept, whole: Whole, made: Answer, tools: Tools) -> list[str]:
    """Card by card, written for the same client as then. Ids and addresses of ours count for nothing."""
    profile = tools.clients.profiles.get(kept.call["profile"], made.profile)
    hidden = int(kept.call["not_repeated"] or 0)
    now = [_bare(json.loads(msgspec.json.encode(written(card, profile)))) for card in made.cards]
    before = [_bare(card) for card in json.loads(whole.response).get("cards", [])]
    if before == now:
        return []
    gone = [f"card no more: {_headed(card)}" for card in before if _headed(card) not in map(_headed, now)]
    new = [f"new card: {_headed(card)}" for card in now if _headed(card) not in map(_headed, before)]
    if hidden and len(new) == hidden:
        new = []  # shown again now
    elif hidden:
        new.append(f"{hidden} of the cards of now were not shown then, as the user had just answered them")
    same = {_headed(card): card for card in now}
    other = [
        f"card with other words: {_headed(card)}" for card in before if same.get(_headed(card)) not in (None, card)
    ]
    return [*gone, *other, *new] or ([] if hidden else ["the cards stand in another order"])


def _bare(card: Mapping[str, Any]) -> dict[str, Any]:
    """Without what is new each time or comes from the settings: ids, our address, links to the page about the card."""
    bare: dict[str, Any] = json.loads(_UUID.sub("id", json.dumps(card)))
    bare.get("source", {}).pop("url", None)
    links = [each for each in bare.pop("links", ()) if not _to_why(each.get("url", ""))]
    if "detail" in bare:
        bare["detail"] = " ".join(NOT_AGAIN.sub(" ", bare["detail"]).split())
    return bare | ({"links": links} if links else {})


def _to_why(url: str) -> bool:
    return f"{PATH}/" in urlsplit(url).path


def _headed(card: Mapping[str, Any]) -> str:
    return f"{card.get('indicator')}: {card.get('summary')}"


def as_text(told: Replay) -> str:
    """One call, in words."""
    seal = {True: "its rows are as written", False: "ITS ROWS WERE CHANGED since they were written", None: ""}
    whose = f", tenant {told.tenant}" if told.tenant else ""
    head = f"{told.call}  {told.at:%Y-%m-%d %H:%M:%S} UTC  {told.service}{whose}  HTTP {told.status}"
    found = list(told.differences)
    if told.replayed_with and not found:
        found = ["the same is answered now"]
    return "\n".join((head, *(f"  {line}" for line in filter(None, (*found, seal[told.intact], *told.notes)))))


def as_summary(told: tuple[Replay, ...]) -> str:
    """Many calls: how many were the same, and those that were not."""
    again = [each for each in told if each.replayed_with]
    lines = [
        f"{len(told)} calls; {len(again)} answered again, {sum(not each.differences for each in again)} the same",
        f"{sum(each.intact is True for each in told)} as written, "
        f"{sum(each.intact is False for each in told)} changed since, "
        f"{sum(each.intact is None for each in told)} without a seal",
    ]
    kinds = Counter(note for each in told for note in each.notes)
    lines += [f"{times} times: {note}" for note, times in kinds.most_common()]
    if len(told) == MOST_CALLS:
        lines.append(f"only the newest {MOST_CALLS} calls were taken: ask for less time")
    return "\n".join((*lines, *(f"\n{as_text(each)}" for each in told if not each.same)))
