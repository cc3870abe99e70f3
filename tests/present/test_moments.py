"""What is shown when: the same findings, at three moments."""

from tests.calls import (
    ELECTROLYTES,
    RELAPSED,
    SUBJECT,
    cards,
    condition,
    flt3_itd,
    gilteritinib,
    observation,
    order,
    qtcf,
    venetoclax,
)

SINCE_RELAPSE = flt3_itd("2026-11-10")
GRAFT = {"coding": [{"system": "http://snomed.info/sct", "code": "234336002"}]}


def indicators(found):
    return [card["indicator"] for card in found]


def test_an_unrelated_order_in_a_patient_without_aml_gets_nothing():
    assert cards("order-sign", order("paracetamol 500 mg", status="draft"), conditions=[]) == []


def test_an_unrelated_order_brings_up_a_critical_finding_about_current_treatment():
    found = cards(
        "order-sign",
        order("paracetamol 500 mg", status="draft"),
        medications=[gilteritinib()],
        ecg=[qtcf(512)],
        labs=ELECTROLYTES,
    )
    assert [card["summary"][:11] for card in found] == ["QTcF 512 ms"]
    assert indicators(found) == ["critical"]


def test_a_sign_of_harm_on_a_drug_is_told_when_the_drug_is_ordered_again():
    given = order("cytarabine high dose 3 g/m2", mg=3000, authoredOn="2026-11-16")
    ataxia = condition("R27.0", "Cerebellar ataxia", "2026-11-19")
    again = order("cytarabine high dose 3 g/m2", mg=3000, status="draft", id="again")
    for hook in ("order-select", "order-sign"):
        found = cards(hook, again, medications=[given], conditions=[RELAPSED, ataxia])
        assert any(card["summary"] == "Cerebellar ataxia on cytarabine: think of neurotoxicity" for card in found)
    other = order("paracetamol 500 mg", status="draft")
    assert cards("order-sign", other, medications=[given], conditions=[RELAPSED, ataxia]) == []


def test_a_stop_for_a_value_of_now_is_told_at_any_signing_though_a_weak_source_makes_it_a_warning():
    chart = {"medications": [order("revumenib 160 mg", mg=270)], "ecg": [qtcf(512)], "labs": ELECTROLYTES}
    for ordered in (order("posaconazole 100 mg", mg=300, status="draft"), order("paracetamol 500 mg", status="draft")):
        beside = cards("order-sign", ordered, **chart)
        assert "QTcF 512 ms (yesterday): hold revumenib" in beside[0]["summary"]
        assert set(indicators(beside)) == {"warning"}
    unsure = chart | {"ecg": [qtcf(512) | {"status": "preliminary"}]}
    assert cards("order-sign", order("paracetamol 500 mg", status="draft"), **unsure) == []
    at_limit = chart | {"ecg": [qtcf(500)]}
    assert cards("order-sign", order("paracetamol 500 mg", status="draft"), **at_limit) == []
    chosen = cards("order-select", order("posaconazole 100 mg", mg=300, status="draft"), **chart)
    assert not any("hold revumenib" in card["summary"] for card in chosen)


def test_an_unrelated_order_is_not_bothered_with_gaps_about_current_treatment():
    assert cards("order-sign", order("paracetamol 500 mg", status="draft"), medications=[gilteritinib()]) == []


def test_choosing_tells_a_warning_that_a_doubt_has_lowered():
    voriconazole = order("voriconazole 200 MG Oral Tablet", "349434", 400, status="draft")
    for status, level in (("active", "warning"), ("unknown", "info")):
        taken = gilteritinib(status=status, authoredOn="2026-10-20")
        found = cards("order-select", voriconazole, medications=[taken], ecg=[qtcf(430)], labs=ELECTROLYTES)
        assert any("oriconazole" in card["summary"] and card["indicator"] == level for card in found), status


def test_choosing_shows_no_counselling():
    chart = {"ecg": [qtcf(430)], "labs": ELECTROLYTES, "genomics": [SINCE_RELAPSE]}
    assert cards("order-select", gilteritinib(status="draft"), **chart) == []
    assert indicators(cards("order-sign", gilteritinib(status="draft"), **chart)) == ["info"]


def test_choosing_speaks_only_of_the_selected_draft():
    drafts = (gilteritinib(status="draft"), order("paracetamol 500 mg", status="draft"))
    chart = {"ecg": [qtcf(512)], "labs": ELECTROLYTES, "genomics": [SINCE_RELAPSE]}
    assert cards("order-select", *drafts, selected=("MedicationRequest/m-paracetamol",), **chart) == []
    assert indicators(cards("order-select", *drafts, selected=("MedicationRequest/m-gilteritinib",), **chart)) == [
        "critical"
    ]


def test_counselling_waits_while_the_drug_must_not_be_started():
    found = cards(
        "order-sign",
        gilteritinib(status="draft"),
        ecg=[qtcf(512)],
        labs=ELECTROLYTES,
        genomics=[SINCE_RELAPSE],
    )
    assert not any("Starting" in card["summary"] for card in found)
    assert not any("response may take time" in card["detail"] for card in found)


def test_every_card_says_demo():
    for card in cards("order-sign", gilteritinib(status="draft")):
        assert "demo" in card["source"]["label"]
        assert "Demo mode" in card["detail"]


def test_a_card_names_the_order_it_concerns():
    card = cards("order-sign", gilteritinib(status="draft"), ecg=[qtcf(512)])[0]
    assert card["extension"]["davinci-crd.associated-resource"] == [{"reference": "MedicationRequest/m-gilteritinib"}]
    assert "Concerns:** draft gilteritinib 40 MG Oral Tablet" in card["detail"]


def test_the_gap_card_orders_what_is_missing_unless_it_is_ordered():
    ecg_order = {
        "resourceType": "ServiceRequest",
        "id": "s1",
        "status": "active",
        "intent": "order",
        "code": {"text": "12-lead ECG"},
        "subject": {"reference": "Patient/p1"},
    }
    chart = {"labs": ELECTROLYTES, "genomics": [SINCE_RELAPSE]}
    gap = cards("order-sign", gilteritinib(status="draft"), **chart)[0]
    assert (gap["indicator"], [each["label"] for each in gap["suggestions"]]) == ("warning", ["Order a 12-lead ECG"])
    ordered = cards("order-sign", gilteritinib(status="draft"), orders=[ecg_order], **chart)[0]
    assert "suggestions" not in ordered
    assert "Already ordered: a 12-lead ECG" in ordered["detail"]


def test_another_patients_results_are_counted_and_never_read():
    foreign = qtcf(512) | {"subject": {"reference": "Patient/p2"}}
    found = cards(
        "order-sign", gilteritinib(status="draft"), ecg=[foreign], labs=ELECTROLYTES, genomics=[SINCE_RELAPSE]
    )
    assert found[0]["indicator"] == "warning"
    assert "1 entry of another patient, not read" in found[0]["detail"]
    assert not any("512" in card["summary"] for card in found)


def test_a_lymphocytic_leukaemia_gets_no_rule_that_is_true_only_in_aml():
    chart = {"conditions": [condition("C91.10", "CLL")], "labs": [observation("6690-2", 60, "10*9/L", "2026-11-20")]}
    found = cards("order-sign", venetoclax(status="draft"), **chart)
    assert all("white cells" not in card["summary"].lower() for card in found)
    assert any("Another indication is on record" in card["detail"] for card in found)


def test_two_orders_that_begin_together_are_added_up():
    posaconazole = order("posaconazole 300 mg delayed release")
    drafts = (venetoclax(50, status="draft", id="v50"), venetoclax(40, status="draft", id="v40"))
    card = cards("order-sign", *drafts, medications=[posaconazole], conditions=[RELAPSED])[0]
    assert (card["indicator"], card["summary"]) == (
        "critical",
        "Venetoclax 90 mg daily with posaconazole: at most 70 mg daily",
    )


def test_no_more_cards_than_one_can_read_and_danger_is_never_left_out():
    drugs = ("voriconazole", "escitalopram", "amiodarone", "enzalutamide", "ondansetron")
    others = [order(f"{drug} tablet", id=drug) for drug in drugs]
    found = cards("order-sign", gilteritinib(status="draft"), medications=others, ecg=[qtcf(512)])
    assert len(found) <= max(6, sum(indicator != "info" for indicator in indicators(found)))
    assert indicators(found)[0] == "critical"


def test_a_card_that_cannot_be_written_is_named_and_the_others_are_kept(monkeypatch):
    from cards import render as wording
    from cds_service.present import present

    def broken(name, values):
        if name == "qtc_over_hold_limit":
            raise ValueError(name)
        return wording.render(name, values)

    monkeypatch.setattr(present, "render", broken)
    found = cards("order-sign", gilteritinib(status="draft"), ecg=[qtcf(512)])
    assert found[0]["indicator"] == "critical"
    assert found[0]["summary"].startswith("Found, but the card could not be written: QTc")
    assert len(found) > 1


def test_a_disease_state_that_could_not_be_read_is_one_line_at_viewing():
    damaged = RELAPSED | {"clinicalStatus": [RELAPSED["clinicalStatus"]]}
    (only,) = cards("patient-view", conditions=[damaged])
    assert (only["indicator"], only["source"]["topic"]["code"]) == ("info", "gap")
    assert "could not be read" in only["detail"]
    assert cards("patient-view", conditions=[]) == []
    (failed,) = cards("patient-view", conditions={"resourceType": "OperationOutcome", "issue": []})
    assert failed["indicator"] == "info"


def service(text, status="draft", **more):
    return {"resourceType": "ServiceRequest", "id": f"s-{text.split()[0].lower()}", "status": status,
            "intent": "order", "subject": SUBJECT, "code": {"text": text}} | more  # fmt: skip


def on_gilteritinib(hook, *drafts, **more):
    chart = {"medications": [gilteritinib(authoredOn="2026-11-10")], "ecg": [qtcf(430)], "labs": ELECTROLYTES}
    return [(each["indicator"], each["summary"]) for each in cards(hook, *drafts, **chart | more)]


def test_signing_a_transplantation_says_that_a_drug_stops_before_it():
    for draft in (service("Allogeneic stem cell transplantation"), service("HSCT", code=GRAFT)):
        assert on_gilteritinib("order-sign", draft) == [
            ("info", "Transplantation ordered: check when gilteritinib stops")
        ]


def test_signing_the_conditioning_warns_and_so_does_choosing_its_drug():
    warned = [("warning", "Gilteritinib beside conditioning: it stops before that")]
    assert on_gilteritinib("order-sign", service("Total body irradiation")) == warned
    busulfan = order("busulfan 6 MG/ML Injection", status="draft")
    assert on_gilteritinib("order-sign", busulfan) == warned
    assert on_gilteritinib("order-select", busulfan) == warned


def test_a_transplantation_ordered_before_is_not_told_beside_an_unrelated_order():
    before = service("Allogeneic stem cell transplantation", status="active")
    assert on_gilteritinib("order-sign", order("paracetamol 500 mg", status="draft"), orders=[before]) == []


def test_what_follows_a_transplantation_is_none():
    for text in ("Chimerism after stem cell transplantation", "Physical conditioning exercises", "CT abdomen"):
        assert on_gilteritinib("order-sign", service(text)) == [], text


def test_conditioning_without_a_drug_that_stops_before_it_brings_nothing():
    assert cards("order-sign", order("busulfan 6 MG/ML Injection", status="draft"), conditions=[]) == []
    assert cards("order-sign", service("Total body irradiation"), conditions=[]) == []
    assert cards("order-sign", service("Allogeneic stem cell transplantation")) == []


def test_signing_a_transplantation_soon_after_gemtuzumab_warns():
    given = order("gemtuzumab ozogamicin 4.5 mg", status="completed", authoredOn="2026-10-25")
    draft = service("Allogeneic stem cell transplantation")
    found = cards("order-sign", draft, medications=[given])
    assert indicators(found) == ["warning"]
    assert "gemtuzumab" in found[0]["summary"].lower()
    assert cards("order-sign", order("paracetamol 500 mg", status="draft"), medications=[given], orders=[draft]) == []


def test_signing_a_transplantation_asks_about_fitness_and_an_unrelated_order_does_not():
    weak = {"bedside": [observation("89247-1", 4, "{score}", "2026-11-19T08:00:00Z")]}
    graft = service("Allogeneic stem cell transplantation")
    assert [each["summary"] for each in cards("order-sign", graft, **weak)] == [
        "Transplant planned with ECOG 4 (2026-11-19): ask the transplant centre"
    ]
    assert cards("order-sign", graft, conditions=[condition("C90.00", "Multiple myeloma")], **weak) == []
    before = service("Allogeneic stem cell transplantation", status="active")
    other = order("paracetamol 500 mg", status="draft")
    assert cards("order-sign", other, orders=[before], **weak) == []
    assert cards("patient-view", orders=[before], conditions=[condition("C90.00", "Multiple myeloma")], **weak) == []


def test_a_relapse_of_residual_disease_in_a_remission_is_told_when_the_chart_is_opened():
    coded = condition("C92.01", "AML in remission, MRD relapse")
    found = cards("patient-view", conditions=[coded])
    assert found[0]["summary"] == "Relapsed AML: trial and donor search first"
    assert "residual disease" in found[0]["detail"]


def test_a_remission_that_may_be_a_relapse_is_no_silence_when_the_chart_is_opened():
    stated = {"clinicalStatus": {"coding": [{"code": "remission"}]}}
    (gap,) = cards("patient-view", conditions=[condition("C92.02", "AML in relapse", **stated)])
    assert gap["summary"] == "What this check could not see: state of the AML"
    assert "its code and its clinical status disagree" in gap["detail"]


def test_a_sure_remission_or_one_that_is_only_provisional_gets_nothing():
    provisional = {"verificationStatus": {"coding": [{"code": "provisional"}]}}
    assert cards("patient-view", conditions=[condition("C92.01", "AML in remission")]) == []
    assert cards("patient-view", conditions=[condition("C92.01", "AML in remission", **provisional)]) == []
