"""What texts of one place alone say holds in that place, and is lent to the others by its name."""

from __future__ import annotations

from cds_service.knowledge.load import Knowledge

LEFT = {
    "cpx-group", "cpx-routes", "daunorubicin-group", "daunorubicin-routes", "gilteritinib-routes",
    "idarubicin-routes", "ivosidenib-group", "mitoxantrone-routes",  # what the drug is, and how it is given
    "daunorubicin-marrow",  # every such drug suppresses the marrow
    "daunorubicin-cytarabine-liposome-rr", "gilteritinib-allergy", "mitoxantrone-not-intrathecal",
}  # fmt: skip
OF_NO_DRUG = ("signs", "option ")


def test_what_only_texts_of_another_place_say_is_not_told_as_of_this_one() -> None:
    found = set()
    for statement in Knowledge.load().statements:
        places = {source.reference.jurisdiction for source in statement.sources}
        if statement.about.startswith(OF_NO_DRUG) or not places <= {"US", "EU", "JP"}:
            continue
        if not statement.jurisdictions & {"US", "EU", "JP"} <= places:
            found.add(statement.id)
    assert found == LEFT
