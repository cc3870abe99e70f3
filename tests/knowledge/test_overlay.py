"""A wrong overlay stops the start with file, key and reason; a right one holds on its days and nowhere else."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from cds_service.errors import CdsError, KnowledgeError, SettingsError
from cds_service.knowledge import topics
from cds_service.knowledge.load import Knowledge
from cds_service.knowledge.model import Verification
from cds_service.knowledge.overlay import _digest
from cds_service.settings import Settings
from tests.calls import gilteritinib, qtcf
from tests.overlays import HOLD_480, IDENTITY, ask_with, cards_of, tools_with, written

DAY = date(2026, 11, 20)
TEMPLATE = "qtc_over_hold_limit"


def value(entry: str) -> dict[str, str]:
    return {"values": f"values:\n  - {{{entry}}}\n"}


def rules(entry: str) -> dict[str, str]:
    return {"rules": f"rules:\n  {entry}\n"}


def codes(row: str) -> dict[str, str]:
    return {"codes": f"system,code,key,kind,display,evidence\n{row},lab manual\n"}


def cells(columns: str, row: str) -> dict[str, str]:
    return {"codes": f"system,code,key,kind,evidence{columns}\nurn:x,{row}\n"}


@pytest.mark.parametrize(("files", "reason"), [
    ({"overlay": "owner: x\neffective: 2026-11-01\n"}, "overlay.yaml, contact: is missing"),
    ({"overlay": "owner: x\ncontact: y\n"}, "overlay.yaml, effective: is missing"),
    ({"overlay": IDENTITY + "ownr: x\n"}, "overlay.yaml, ownr: no such field; there are owner, effective, contact"),
    ({"overlay": IDENTITY + "owner: x\n"}, "not valid YAML: line 4: 'owner' stands twice"),
    ({"overlay": "owner: &a x\neffective: 2026-11-01\ncontact: *a\n"}, "YAML aliases (*name) are not read"),
    ({"overlay": "owner: ["}, "overlay.yaml: not valid YAML: line"),
    ({"overlay": "- owner"}, "expected a mapping at the top"),
    ({"values": "values: {}\n"}, "values.yaml, values: expected a list"),
    (value("value: 480 ms, reason: x"), "values.yaml, values[0], topic: is missing"),
    (value("statement: gilteritinib-qtc-hold, reason: x"), "values[0], value: is missing"),
    (value("statement: gilteritinib-qtc-hold, value: 480 ms"), "values[0], reason: is missing"),
    (value("statement: gilteritinib-qtc-hold, value: 480 ms, reason: 7"), "reason: expected words, found 7"),
    (value("statement: gilteritinib-qtc-holt, value: 480 ms, reason: x"), "did you mean gilteritinib-qtc-hold"),
    (value("statement: gilteritinib-qtc-hold, about: x, value: 480 ms, reason: x"), "not both"),
    (value("statement: gilteritinib-qtc-hold, value: 480 s, reason: x"), "expected a value in ms"),
    (value("statement: gilteritinib-qtc-hold, value: 480, reason: x"), "expected text such as '500 ms'"),
    (value("statement: gilteritinib-qtc-hold, value: 480 ms, resaon: x"), "did you mean reason?"),
    (value("statement: gilteritinib-qtc-hold, value: 480 ms, reason: x, effective: 1.12.2026"), "expected a date"),
    (value("statement: gilteritinib-qtc-hold, value: 480 ms, reason: x, until: 2026-11-01"), "is not after effective"),
    (value("statement: gilteritinib-qtc-hold, value: 0 ms, reason: x"), "value: expected more than 0, found '0 ms'"),
    (value("statement: gilteritinib-qtc-hold, value: -480 ms, reason: x"), "expected more than 0, found '-480 ms'"),
    (value("statement: gilteritinib-ecg-cycle-one, value: [8, 0], reason: x"), "expected more than 0, found [8, 0]"),
    (value("topic: qtc_hold_abov, about: gilteritinib, value: 480 ms, reason: x"), "did you mean qtc_hold_above"),
    (value("topic: qtc_hold_above, about: giltertinib, value: 480 ms, reason: x"), "did you mean gilteritinib"),
    (value("topic: dose_ceiling, about: venetoclax, qualifier: x, value: 70 mg/d, reason: x"), "is no 'x'; there are"),
    (value("statement: posaconazole-cyp3a, value: strong, reason: x"), "expected one of"),
    (value("topic: liver_action, about: gilteritinib, value: call <b>us</b>, reason: x"), "value: holds HTML"),
    (value(r'statement: gilteritinib-qtc-hold, value: 480 ms, reason: "x\u202e"'), "characters that cannot be seen"),
    (value("statement: gilteritinib-qtc-hold, value: 480 ms, reason: x, until: 2026-13-45"),
     "values.yaml: not valid YAML: line 2: '2026-13-45' is a day or time that does not exist"),
    ({"values": HOLD_480 + HOLD_480.partition("\n")[2]}, "is replaced by values.yaml, values[1] too"),
    (rules("qtc-hodl: {switch: shadow, reason: x}"), "qtc-hodl: there is no rule 'qtc-hodl'; did you mean qtc-hold"),
    (rules("qtc-hold: {switch: sleep, reason: x}"), "qtc-hold, switch: expected off or shadow, found 'sleep'"),
    (rules("qtc-hold: {switch: off}"), "rules.yaml, qtc-hold, reason: is missing"),
    (rules("qtc-hold: off"), "expected a mapping with switch or overrides, and reason"),
    (rules("qtc-hold: {reason: x}"), "qtc-hold, switch: is missing: off or shadow; or name override reasons"),
    (rules("qtc-hold: {overrides: value-outdated, reason: x}"), "overrides: expected a list of codes"),
    (rules("qtc-hodl: {overrides: [value-outdated], reason: x}"), "there is no rule 'qtc-hodl'; did you mean qtc-hold"),
    (rules("qtc-hold: {overrides: [value-outdated], reason: x}"), "overrides: expected 3 to 7 reasons, found 1"),
    (rules("qtc-hold: {overrides: [ecg-repeted, value-outdated], reason: x}"), "did you mean ecg-repeated"),
    (rules("qtc-hold: {overrides: [ecg-repeated, value-outdated, will-do-later], reason: x}"), "puts off what may be"),
    (rules("qtc-hold: {overrides: [ecg-repeated, no-alternative, trial-protocol], reason: x}"), "the chart is behind"),
    (codes("urn:x,K,potasium,observation,"), "line 2, key: there is no observation 'potasium'; did you mean potassium"),
    (codes("urn:x,K,potassium,lab,"), "codes.csv, line 2, kind: expected one of observation, answer, drug"),
    (codes("urn:x,K,,drug,"), "codes.csv, line 2, key: is missing"),
    (codes("lab,K,potassium,observation,"), "codes.csv, line 2, system: expected a URI"),
    (codes("http://loinc.org,2601-3,potassium,observation,"), "is read as 'magnesium' already"),
    ({"codes": "system;code\n"}, "codes.csv: expected the columns system, code, key, kind, evidence"),
    (cells("", "K,potassium,observation,"), "line 2, evidence: is missing"),
    (cells(",checked", "K,potassium,observation,m,1.11.2026"), "checked: expected a date"),
    (cells(",route", "K,potassium,observation,m,oral"), "route: tells nothing of kind observation"),
    (cells(",route", "9,venetoclax,drug,m,orall"), "there is no route 'orall'; did you mean oral"),
    (cells(",status", "9,aml,condition,m,relapse"), "there is no status 'relapse'"),
    (cells(",value", "9,presence,answer,m,maybe"), "there is no value 'maybe'"),
    (cells("", "9,venetoclax|vitamin,drug,m"), "there is no drug 'vitamin'"),
    (cells("", "K,aml,condition,m\nurn:x,K,mds,condition,m"), "stands in codes.csv, line 2 already"),
    ({"profiles": {"ours": "like: epic\n"}}, "profiles/ours.yaml, reason: is missing"),
    ({"profiles": {"ours": "like: epci\nreason: x\n"}}, "profiles/ours.yaml: like: there is no profile 'epci'"),
    ({"profiles": {"ours": "like: epic\nreason: x\nlinkz: true\n"}}, "linkz: no such key"),
    ({"profiles": {"ours": "like: epic\nreason: x\nlinks: 1\n"}}, "links: expected true or false, found 1"),
    ({"profiles": {"ours": "like: epic\nreason: x\nreason: y\n"}}, "'reason' stands twice"),
    ({"profiles": {"ours": "- like"}}, "profiles/ours.yaml: expected a mapping at the top"),
    ({"profiles": {"Ours!": "like: epic\nreason: x\n"}}, "has other characters than"),
    ({"profiles": {"ours": "like: epic\nreason: x\norder_codes: {ekg: '1'}\n"}}, "'ekg' is no test that is ever"),
    ({"qtc_over_hold_limits": "---\nsummary: x\n---\nx"}, "there is no such card; did you mean qtc_over_hold_limit"),
])
def test_a_slip_stops_the_start_with_file_key_and_reason(tmp_path, files, reason):
    with pytest.raises(KnowledgeError) as refused:
        tools_with(written(tmp_path / "overlay", **files))
    assert str(refused.value).startswith("overlay, ")
    assert reason in str(refused.value)


def reworded(old: str, new: str) -> str:
    shipped = Path("cards/templates", f"{TEMPLATE}.md").read_text(encoding="utf-8")
    assert old in shipped
    return shipped.replace(old, new)


@pytest.mark.parametrize(("old", "new", "reason"), [
    ("{{ limit.value }}.", "{{ limti.value }}.", "names 'limti', which this card does not have; did you mean limit?"),
    ("above {{ limit.value }}", "above {{ limit.valeu }}", "names 'limit.valeu', which the shipped wording does not"),
    ("{{ qtc.dated }}", "{{ qtc.__class__ }}", "names 'qtc.__class__'"),
    ("{{ drug }}", "this drug", "does not say 'drug', which the shipped wording says"),
    ("**Way out**", "<script>", "holds HTML"),
    ("---\n", "---\noverrides: [value-outdated]\n", "has summary only, not 'overrides'; override reasons"),
    ("**Way out**", "{{ 1 / 0 }}", "'div' is not used in wordings: say it with values, if and for"),
    ("**Way out**", "{{ drug + 1 - [] }}", "cannot be rendered"),
    ("**Way out**", "{{ ''.join(drug) }}", "'call' is not used in wordings"),
    ("**Way out**", "{{ drug[9:] * 10 ** 9 }}", "is not used in wordings"),
    ("**Way out**", "{% include '/etc/passwd' %}", "'include' is not used in wordings"),
    ("**Way out**", "{% import 'gap.md' as other %}", "'import' is not used in wordings"),
    ("**Way out**", "{% for each in range(10 ** 9) %}x{% endfor %}", "a loop goes over a value of the card"),
    ("**Way out**", "{% for each in 'long' %}x{% endfor %}", "a loop goes over a value of the card"),
    ("**Way out**", "{% for a in qtc %}" * 4 + "{% endfor %}" * 4, "more than 3 loops stand within each other"),
    ("**Way out**", "{% set long = drug ~ drug %}", "'assign' is not used in wordings"),
    ("**Way out**", "{{ drug | center(1000000000) }}", "the filter 'center' is not used in wordings"),
    ("**Way out**", "{{ drug | map('center', 1000000000) | join }}", "(map with attribute= only)"),
    ("**Way out**", "{{ " + "(" * 5000 + "drug" + ")" * 5000 + " }}", "is nested too deeply to be read"),
    ("**Way out**", "![x](https://elsewhere.example/x.png)", "holds an image"),
    ('summary: "', 'summary: "' + "many words " * 14, "and a card shows 139: shorten it"),
    ("{% if new %}", "{% if new %", "templates/qtc_over_hold_limit.md: "),
    ("---\n", "", "expected front matter"),
])
def test_a_wording_says_the_same_things_in_other_words(tmp_path, old, new, reason):
    with pytest.raises(KnowledgeError) as refused:
        tools_with(written(tmp_path / "overlay", **{TEMPLATE: reworded(old, new)}))
    assert str(refused.value).startswith(f"overlay, templates/{TEMPLATE}.md: ")
    assert reason in str(refused.value)


def test_every_shipped_wording_may_be_a_hospitals_own(tmp_path):
    shipped = {path.stem: path.read_text(encoding="utf-8") for path in Path("cards/templates").glob("*.md")}
    tools = tools_with(written(tmp_path / "overlay", **shipped))
    assert tools.knowledge.overlay is not None and len(tools.knowledge.overlay.templates) == len(shipped)


def test_a_wording_that_says_nothing_is_refused(tmp_path):
    shipped = Path("cards/templates", "no_aml_on_record.md").read_text(encoding="utf-8")
    names = "{% if read and drug_name %}{% endif %}"
    for text, reason in ((f"---\nsummary: ''\n---\n{shipped.split('---')[2]}", "its summary says nothing"),
                         (f"---\nsummary: No AML\n---\n{names}", "its body says nothing")):  # fmt: skip
        with pytest.raises(KnowledgeError, match=reason):
            tools_with(written(tmp_path / reason, no_aml_on_record=text))


def test_a_wording_that_cannot_be_rendered_of_some_values_gives_way_to_the_shipped_one(tmp_path, caplog):
    text = reworded("**Way out**", "{{ limit.value - 1 }}")
    folder = written(tmp_path / "overlay", **{TEMPLATE: text})
    found = cards_of(ask_with(tools_with(folder), "order-sign", gilteritinib(status="draft"), ecg=[qtcf(512)]))
    (card,) = [each for each in found if each["source"]["topic"]["code"] == "qtcHold"]
    assert card["indicator"] == "critical" and "**Way out**" in card["detail"]
    assert "Worded by this hospital" not in card["detail"]
    assert f"the hospital's wording {TEMPLATE} failed: TypeError" in caplog.text


def test_a_file_that_nobody_reads_is_refused_and_a_readme_is_not(tmp_path):
    folder = written(tmp_path / "overlay")
    (folder / "README.md").write_text("ours")
    tools_with(folder)
    (folder / "value.yaml").write_text("values: []")
    with pytest.raises(KnowledgeError, match=r"value\.yaml: nobody reads it.*did you mean values\.yaml"):
        tools_with(folder)


def test_a_folder_that_is_not_there_or_not_an_overlay_is_refused(tmp_path):
    with pytest.raises(CdsError, match="OVERLAY is"):
        tools_with(tmp_path / "nowhere")
    with pytest.raises(KnowledgeError, match=r"overlay\.yaml: is missing"):
        tools_with(tmp_path)


def test_a_file_too_large_is_refused(tmp_path):
    folder = written(tmp_path / "overlay", values="# " + "x" * 1_000_000)
    with pytest.raises(KnowledgeError, match="larger than"):
        tools_with(folder)


def hold(knowledge: Knowledge, day: date, place: str = "US"):
    return knowledge.at(day, place).find(topics.QTC_HOLD_ABOVE, "gilteritinib")


def test_a_local_value_holds_on_its_days_and_the_shipped_one_on_the_others(tmp_path):
    entry = "statement: gilteritinib-qtc-hold, value: 480 ms, reason: x, effective: 2026-11-10, until: 2026-11-20"
    knowledge = Knowledge.load(overlay=written(tmp_path / "overlay", **value(entry)))
    found = {day: str(hold(knowledge, date(2026, 11, day)).value) for day in (9, 10, 19, 20)}
    assert found == {9: "500 ms", 10: "480 ms", 19: "480 ms", 20: "500 ms"}


def test_two_values_that_follow_each_other_are_a_change(tmp_path):
    entries = (
        "values:\n"
        "  - {statement: gilteritinib-qtc-hold, value: 480 ms, reason: x, until: 2026-11-10}\n"
        "  - {statement: gilteritinib-qtc-hold, value: 490 ms, reason: y, effective: 2026-11-10}\n"
    )
    knowledge = Knowledge.load(overlay=written(tmp_path / "overlay", values=entries))
    assert [str(hold(knowledge, date(2026, 11, day)).value) for day in (9, 10)] == ["480 ms", "490 ms"]


def test_a_local_statement_names_its_owner_reason_and_what_it_stands_in_for(tmp_path):
    statement = hold(Knowledge.load(overlay=written(tmp_path / "overlay", values=HOLD_480)), DAY)
    assert statement.local.instead.id == "gilteritinib-qtc-hold"
    assert (statement.local.owner, statement.local.since) == ("leukaemia board", date(2026, 11, 1))
    assert statement.sources[0].reference.short == "local policy (leukaemia board, 2026-11-01)"
    assert (statement.verification, statement.strongest.indicator) == (Verification.POLICY, "warning")
    assert (statement.reviewed_by, statement.foreign) == ("leukaemia board", "")


def test_a_local_value_is_of_this_place_wherever_it_is(tmp_path):
    statement = hold(Knowledge.load(overlay=written(tmp_path / "overlay", values=HOLD_480)), DAY, "JP")
    assert (str(statement.value), statement.foreign, statement.local.instead.foreign) == ("480 ms", "", "US")


def test_a_value_for_one_statement_leaves_another_place_alone(tmp_path):
    entry = "statement: venetoclax-ceiling-posaconazole-us, value: 50 mg/d, reason: x"
    knowledge = Knowledge.load(overlay=written(tmp_path / "overlay", **value(entry)))
    found = [
        str(knowledge.at(DAY, place).find(topics.DOSE_CEILING, "venetoclax", "posaconazole").value)
        for place in ("US", "EU")
    ]
    assert found == ["50 mg daily", "100 mg daily"]


def test_a_value_for_a_question_holds_in_every_place(tmp_path):
    entry = "topic: dose_ceiling, about: venetoclax, qualifier: posaconazole, value: 50 mg/d, reason: x"
    knowledge = Knowledge.load(overlay=written(tmp_path / "overlay", **value(entry)))
    found = [
        str(knowledge.at(DAY, place).find(topics.DOSE_CEILING, "venetoclax", "posaconazole").value)
        for place in ("US", "EU", "JP")
    ]
    assert found == ["50 mg daily"] * 3


def test_the_effect_of_another_drug_can_be_replaced_too(tmp_path):
    entry = "statement: posaconazole-cyp3a, value: moderate inhibitor, reason: x"
    knowledge = Knowledge.load(overlay=written(tmp_path / "overlay", **value(entry)))
    statement = knowledge.at(DAY, "US").precipitants["posaconazole"].statement("cyp3a")
    assert (statement.value, statement.local is None) == ("moderate inhibitor", False)


def test_the_version_of_the_knowledge_takes_the_overlay_in(tmp_path):
    folder = written(tmp_path / "overlay", values=HOLD_480)
    first = Knowledge.load(overlay=folder).version
    assert first != Knowledge.load().version
    assert first == Knowledge.load(overlay=folder).version
    written(folder, values=HOLD_480.replace("480", "481"))
    assert Knowledge.load(overlay=folder).version != first


def test_a_pinned_overlay_is_taken_with_these_very_files_only(tmp_path):
    folder = written(tmp_path / "ours", values=HOLD_480)
    pin = Knowledge.load(overlay=folder).overlay.digest
    assert Knowledge.load(overlay=folder, pinned=pin).overlay.digest == pin
    for change in ({"values": HOLD_480.replace("480", "481")}, {"values": HOLD_480, "codes": ""}):
        written(folder, **change)
        with pytest.raises(KnowledgeError) as refused:
            Knowledge.load(overlay=folder, pinned=pin)
        told = str(refused.value)
        assert told.startswith("overlay 'ours' (") and "values.yaml" in told
        assert f"expected the digest {pin}, found " in told


def test_the_setting_pins_and_says_what_is_amiss(tmp_path):
    folder = written(tmp_path / "ours", values=HOLD_480)
    pin = tools_with(folder).knowledge.overlay.digest
    assert tools_with(folder, OVERLAY_SHA256=pin.upper()).knowledge.overlay.digest == pin
    with pytest.raises(KnowledgeError, match="expected the digest 0000"):
        tools_with(folder, OVERLAY_SHA256="0" * 64)
    with pytest.raises(SettingsError, match="OVERLAY_SHA256 is 'abc', expected 64 hexadecimal digits"):
        Settings.load({"OVERLAY_SHA256": "abc"})
    with pytest.raises(SettingsError, match="OVERLAY_SHA256 is set, and there is no OVERLAY"):
        Settings.load({"OVERLAY_SHA256": pin})


def test_the_end_of_one_file_cannot_pass_for_another(tmp_path):
    one = written(tmp_path / "one", profiles={"a": "x", "b": "y"})
    both = _digest(one, sorted(one.rglob("*.yaml")))
    (one / "profiles" / "b.yaml").unlink()
    (one / "profiles" / "a.yaml").write_text("xprofiles/b.yamly", encoding="utf-8")
    assert _digest(one, sorted(one.rglob("*.yaml"))) != both


def test_without_an_overlay_nothing_is_local():
    snapshot = Knowledge.load().at(DAY, "US")
    assert snapshot.shipped is None and not snapshot.switches
    assert not [each for each in snapshot.statements.values() if each.local]


def test_local_codes_of_every_kind_are_read_as_what_they_stand_for(tmp_path):
    rows = """system,code,key,kind,evidence,value,route,status,owner,checked
urn:oid:1.2.3,K,potassium,observation,lab manual,,,,,
urn:oid:1.2.3,QTCF,qtc_fridericia,observation,ECG interface,,,,cardiology,2026-10-01
urn:oid:1.2.3,EF,lvef,observation,echo interface,,,,,
urn:oid:1.2.3,PS,ecog_ps,observation,nursing form,,,,,
urn:oid:1.2.6,N,presence,answer,lab manual,absent,,,,
urn:oid:1.2.4,900,gilteritinib,drug,formulary,,oral,,,
urn:oid:1.2.4,901,sulfamethoxazole|trimethoprim,drug,formulary,,,,,
urn:oid:1.2.7,PO,oral,route,order form,,,,,
urn:oid:1.2.5,AML,aml,condition,coding team,,,in_relapse,,
urn:oid:1.2.5,HCT,hsct_procedure,procedure,coding team,,,,,
urn:oid:1.2.3,F3,FLT3-ITD,genomics,lab manual,,,,,
"""
    knowledge = Knowledge.load(overlay=written(tmp_path / "overlay", codes=rows))
    terms = knowledge.terms
    assert terms.observations["urn:oid:1.2.3", "K"] == "potassium"
    assert terms.observations["urn:oid:1.2.3", "EF"] == "lvef"
    assert terms.answers["urn:oid:1.2.6", "N"] == ("presence", "absent")
    found = terms.drugs["urn:oid:1.2.4", "900"]
    assert (found.ingredients, found.route, found.level) == (("gilteritinib",), "oral", "local")
    assert terms.drugs["urn:oid:1.2.4", "901"].ingredients == ("sulfamethoxazole", "trimethoprim")
    assert terms.routes["urn:oid:1.2.7", "PO"] == "oral"
    assert terms.conditions["urn:oid:1.2.5", "AML"].status == "in_relapse"
    assert terms.conditions["urn:oid:1.2.5", "HCT"].keys == ("hsct_procedure",)
    assert terms.genomics["urn:oid:1.2.3", "F3"] == ("FLT3-ITD", "test")
    told = [each.words for each in knowledge.overlay.codes]
    assert told[0] == ("urn:oid:1.2.3|K is read as potassium (observation): lab manual; leukaemia board, 2026-11-01")
    assert told[1].endswith("ECG interface; cardiology, 2026-10-01")


def test_a_code_that_is_known_already_with_the_same_meaning_is_no_fault(tmp_path):
    rows = "system,code,key,kind,evidence\nhttp://loinc.org,2823-3,potassium,observation,LOINC\n"
    assert Knowledge.load(overlay=written(tmp_path / "overlay", codes=rows)).terms.codes("potassium")
