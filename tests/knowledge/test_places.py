"""What is told as read in a label was read in a label of that place; elsewhere it is lent, and says whose it is."""

from __future__ import annotations

from cds_service.knowledge.load import Knowledge
from cds_service.knowledge.model import Verification

LABELS = {"label", "regulator"}
OF_NO_PLACE = {"class_group", "routes"}  # what the drug is, and how it is given
LEFT = {
    "gilteritinib-allergy": "every label forbids a drug after hypersensitivity to it",
    "gilteritinib-ds-onset": "the Thai text follows the EU product information",
    "mitoxantrone-not-intrathecal": "holds wherever it is given; a borrowed word could only warn",
    "quizartinib-wrong-tkd": "the EU indication, too, is for FLT3-ITD",
    "daunorubicin-cytarabine-liposome-rr": "the EU approval, too, is for newly diagnosed disease",
    "signs-sos-vod": "an entry of the record, not a rule of a label",
}


def test_a_label_speaks_for_its_own_place() -> None:
    beyond = set()
    for statement in Knowledge.load().statements:
        read = {source.reference.jurisdiction for source in statement.sources if source.reference.kind in LABELS}
        if statement.verification is not Verification.LABEL or "" in read or statement.topic in OF_NO_PLACE:
            continue
        if not statement.jurisdictions <= read:
            beyond.add(statement.id)
    assert beyond == set(LEFT)
