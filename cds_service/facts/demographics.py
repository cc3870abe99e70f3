"""Demographics: age as an interval, because a birth date may be a year or a month; sex as administered.

Patient.gender is an administrative word. Where it says neither female nor male, the sex at birth counts where it is on
record (US Core's extensions); where the two differ, the sex is not known.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

from cds_service.facts.fact import Fact, Key, State, known, missing
from cds_service.facts.times import When
from cds_service.facts.values.results import Reading, origin
from cds_service.gather.replies import Reply, Status
from cds_service.gather.views import Patient


@dataclass(frozen=True, slots=True)
class Age:
    """Whole years, from the youngest to the oldest that the birth date allows, and that date where it is at hand."""

    youngest: int
    oldest: int
    born: When | None = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        return f"{self.youngest} years" if self.youngest == self.oldest else f"{self.youngest} to {self.oldest} years"


AGE: Key[Age] = Key("age", "age")
SEX: Key[str] = Key("sex", "administrative sex")
DECEASED: Key[bool] = Key("deceased", "death on record")
PATIENT: Key[str] = Key("patient", "the patient's record")
LINKED: Key[tuple[str, ...]] = Key("linked", "links of the record to other records")
REPLACED = "the record was replaced by another one"
_LINKS = {
    "replaced-by": f"{REPLACED}: whether it may still be used is not known",
    "replaces": "the record replaces another one of this patient",
    "refer": "another record is said to be the main one of this patient",
    "seealso": "there is another record of this patient",
}
_NOT_READ = "what stands under the other id was not read"
_SEXES = ("female", "male")
_AT_BIRTH = ("/us-core-birthsex", "/us-core-sex")  # how the addresses of the extensions end


def read_deceased(reply: Reply, reading: Reading) -> Fact[bool]:
    """Whether the record says that the patient has died; a record that says nothing says no."""
    views = [each.checked() for each in reply.resources if each.type == "Patient"]
    view = next((each for each in views if isinstance(each, Patient)), None)
    if view is None:
        return missing(DECEASED, State.ABSENT, "the patient's record was not had")
    died = bool(view.deceasedBoolean) or view.deceasedDateTime is not None
    return known(DECEASED, died, When.read(view.deceasedDateTime, reading.zone))


def is_over(death: Fact[bool], now: datetime) -> bool:
    """Whether a death is on record that is not dated in the future: that is a slip, and ends nobody's tests."""
    return bool(death.value) and not (death.when is not None and death.when.earliest > now)


def read_links(reply: Reply) -> Fact[tuple[str, ...]]:
    """What the record says of further records of the same patient. None of them is ever followed."""
    views = [each.view() for each in reply.resources if each.type == "Patient"]
    links = [link for view in views if isinstance(view, Patient) for link in view.link or ()]
    said = (_LINKS.get(link.type or "", "the record is linked to another one") for link in links)
    return known(LINKED, tuple(dict.fromkeys(f"{words}; {_NOT_READ}" for words in said)))


def read_sex(reply: Reply, reading: Reading) -> Fact[str]:
    """Female or male, as the record's administrative gender says, else as at birth; where they differ, unknown."""
    resource = next((each for each in reply.resources if each.type == "Patient"), None)
    if resource is None:
        state = {Status.COMPLETE: State.ABSENT, Status.NOT_ASKED: State.NOT_ASKED}.get(reply.status, State.FAILED)
        return missing(SEX, state, reply.why or "the EHR says it has none")
    view = resource.checked()
    if not isinstance(view, Patient):
        return missing(SEX, State.UNREADABLE, getattr(view, "reason", "not readable"))
    born = _at_birth(view, reading)
    said = {view.gender} if view.gender in _SEXES else set()
    if len(said | born) > 1:
        words = f"the record says {view.gender or 'nothing'}, and {' and '.join(sorted(born))} at birth"
        return missing(SEX, State.CONFLICTING, words)
    if not said | born:
        return missing(SEX, State.ABSENT, f"the record says {view.gender}" if view.gender else "not on record")
    (sex,) = said | born
    return known(SEX, sex, None, origin(resource, reply.source, sex, *(() if said else ("sex at birth",))))


def _at_birth(view: Patient, reading: Reading) -> set[str]:
    """The sex at birth, as far as extensions name it."""
    named = (each.valueCode for each in view.extension or () if (each.url or "").endswith(_AT_BIRTH))
    found = (reading.terms.words["sex"].find(code) for code in named if code)
    return {sex for sex in found if sex is not None}


def read_demographics(reply: Reply, reading: Reading) -> tuple[Fact[str], Fact[Age]]:
    """Whether the patient's record was had, and the age."""
    resource = next((each for each in reply.resources if each.type == "Patient"), None)
    if resource is None:
        state = {Status.COMPLETE: State.ABSENT, Status.NOT_ASKED: State.NOT_ASKED}.get(reply.status, State.FAILED)
        why = reply.why or "the EHR says it has none"
        return missing(PATIENT, state, why), missing(AGE, state, why)
    view = resource.checked()
    where = origin(resource, reply.source, "")
    patient = known(PATIENT, resource.reference, None, where)
    if not isinstance(view, Patient):
        return patient, missing(AGE, State.UNREADABLE, getattr(view, "reason", "not readable"))
    where = origin(resource, reply.source, view.birthDate or "")
    born = When.read(view.birthDate, reading.zone)
    if born is None or born.earliest > reading.now:
        return patient, missing(AGE, State.ABSENT, "no usable birth date")
    today = reading.now.astimezone(reading.zone).date()
    age = Age(years_between(born.latest.date(), today), years_between(born.earliest.date(), today), born)
    return patient, known(AGE, age, None, where)


def years_between(born: date, day: date) -> int:
    """How old someone who was born on the one day is on the other."""
    return max(0, day.year - born.year - ((day.month, day.day) < (born.month, born.day)))
