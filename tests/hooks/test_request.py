"""The request, as real EHRs send it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.errors import BadRequest
from cds_service.hooks.request import MOST_DRAFTS, NOT_JSON, FhirAccess, HookRequest
from cds_service.hooks.services import offered

CODES = {"ecg": ("76634-5",), "labs": ("2823-3",), "bedside": ("29463-7",), "genomics": ("79210-1",)}
VIEW, SELECT, SIGN = offered(CODES)
CONTEXT = {"userId": "Practitioner/1", "patientId": "p-1"}
DRAFTS = {"resourceType": "Bundle", "entry": [{"fullUrl": "urn:uuid:1", "resource": {"resourceType": "X", "n": 1.0}}]}


def read(service, context=None, **more):
    body = {"hook": service.hook, "hookInstance": "i-1", "context": CONTEXT | (context or {}), **more}
    return HookRequest.read(json.dumps(body).encode(), service)


def sign(context=None, **more):
    return read(SIGN, {"draftOrders": DRAFTS} | (context or {}), **more)


def refused(call, *args, **kwargs):
    with pytest.raises(BadRequest) as fault:
        call(*args, **kwargs)
    return fault.value


def test_a_patient_view_needs_no_orders():
    request = read(VIEW)
    assert (request.patient_id, request.user_id, request.instance) == ("p-1", "Practitioner/1", "i-1")
    assert request.drafts == () and request.selections == () and request.fhir is None


def test_drafts_keep_their_bytes_and_their_full_url():
    (draft,) = sign().drafts
    assert draft.full_url == "urn:uuid:1"
    assert draft.raw == b'{"resourceType": "X", "n": 1.0}'


@pytest.mark.parametrize("drafts", [{}, {"entry": None}, {"resourceType": "Bundle", "entry": []}, {"type": "x"}])
def test_an_untyped_or_empty_bundle_of_drafts_is_read(drafts):
    assert sign({"draftOrders": drafts}).drafts == ()


def test_an_order_select_names_what_was_selected():
    assert read(SELECT, {"draftOrders": DRAFTS, "selections": ["X/1"]}).selections == ("X/1",)
    assert refused(read, SELECT, {"draftOrders": DRAFTS}).path == "context.selections"
    assert refused(read, SELECT, {"draftOrders": DRAFTS, "selections": [7]}).path == "context.selections[0]"


def test_missing_draft_orders_are_refused_with_a_hint_at_the_scope():
    fault = refused(read, SIGN)
    assert fault.path == "context.draftOrders" and "scopes" in fault.message
    assert "scopes" in refused(sign, {"draftOrders": None}).message


def test_draft_orders_of_another_kind_are_no_matter_of_scopes():
    fault = refused(sign, {"draftOrders": []})
    assert (fault.message, fault.path) == ("expected an object, found a list: send a Bundle", "context.draftOrders")


@pytest.mark.parametrize("drafts", [{"value": DRAFTS}, {"Entry": DRAFTS["entry"]}, {"type": "x", "resources": []}])
def test_what_neither_is_called_a_bundle_nor_has_the_elements_of_one_is_refused(drafts):
    fault = refused(sign, {"draftOrders": drafts})
    assert fault.message == "expected a Bundle, found something else: send a Bundle"
    assert fault.path == "context.draftOrders"
    assert sign({"draftOrders": {"resourceType": "Bundle", "x": 1}}).drafts == ()


@pytest.mark.parametrize("patient", ["Patient/p-1", "https://ehr.example.org/fhir/Patient/p-1"])
def test_a_reference_in_place_of_the_id_is_told_what_to_send(patient):
    assert "without 'Patient/'" in refused(read, VIEW, {"patientId": patient}).message


def test_draft_orders_that_are_no_bundle_are_refused():
    assert refused(sign, {"draftOrders": {"resourceType": "MedicationRequest"}}).path == (
        "context.draftOrders.resourceType"
    )


def test_a_body_of_another_hook_is_refused():
    assert refused(read, SIGN, {"draftOrders": DRAFTS}, hook="patient-view").path == "hook"


@pytest.mark.parametrize("patient", [
    "", "a/b", "../1", "p?x=1", "p 1", "p\n", "x" * 65, "p{{", "p&y", "ü", "%2e",
])
def test_an_id_that_could_lead_elsewhere_is_refused(patient):
    assert refused(read, VIEW, {"patientId": patient}).path == "context.patientId"


@pytest.mark.parametrize("patient", ["p", "A-1.b", "x" * 64, "0"])
def test_an_ordinary_id_is_read(patient):
    assert read(VIEW, {"patientId": patient}).patient_id == patient


def test_an_empty_hook_instance_is_refused_and_an_odd_one_is_not():
    assert refused(read, VIEW, hookInstance="").path == "hookInstance"
    assert read(VIEW, hookInstance="not-a-uuid").instance == "not-a-uuid"


def test_prefetch_keeps_null_and_foreign_keys_as_they_came():
    request = read(VIEW, prefetch={"patient": None, "other": {"a": [1, 2]}})
    assert dict(request.prefetch) == {"patient": b"null", "other": b'{"a": [1, 2]}'}


@pytest.mark.parametrize("more", [{}, {"prefetch": None}, {"prefetch": {}}])
def test_no_prefetch_is_a_legal_request(more):
    assert dict(read(VIEW, **more).prefetch) == {}


@pytest.mark.parametrize("prefetch", [7, [], "x", True])
def test_prefetch_that_is_no_object_is_refused(prefetch):
    assert refused(read, VIEW, prefetch=prefetch).path == "prefetch"


@pytest.mark.parametrize("value", [5, {}, [], True, None])
def test_what_is_never_used_may_hold_anything(value):
    assert sign({"encounterId": value, "more": value}, extension=value, more=value).patient_id == CONTEXT["patientId"]


def test_the_server_and_its_token_belong_together():
    token = {"access_token": "opaque", "token_type": "Bearer", "expires_in": "300", "scope": "Odd.Scope (R4)"}
    assert read(VIEW, fhirServer="http://f/r4/", fhirAuthorization=token).fhir == FhirAccess("http://f/r4", "opaque")
    assert read(VIEW, fhirServer="http://f/r4").fhir == FhirAccess("http://f/r4")
    assert read(VIEW, fhirAuthorization=token).fhir is None


def test_the_token_shows_in_no_repr():
    request = read(VIEW, fhirServer="http://f", fhirAuthorization={"access_token": "opaque"})
    assert "opaque" not in repr(request)


@pytest.mark.parametrize("authorization", [{}, {"access_token": 7}, {"access_token": None}, [], "x"])
def test_an_authorization_without_token_is_refused(authorization):
    fault = refused(read, VIEW, fhirServer="http://f", fhirAuthorization=authorization)
    assert fault.path is not None and fault.path.startswith("fhirAuthorization")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"7", b'"x"', b"\xff", b"{" * 100_000, b"[" * 100_000])
def test_what_is_no_json_object_is_refused(body):
    refused(HookRequest.read, body, VIEW)


def test_a_message_never_repeats_what_was_sent():
    fault = refused(read, VIEW, {"patientId": "Jane Doe"})
    assert "Jane" not in str(fault)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["resourceType", "entry", "resource", "fullUrl", "access_token", "patientId", "x"]), inner,
        max_size=4,
    ),
    max_leaves=8,
)


@given(
    st.sampled_from(["hook", "hookInstance", "context", "prefetch", "fhirServer", "fhirAuthorization", "extension"]),
    st.sampled_from(["userId", "patientId", "encounterId", "draftOrders", "selections"]), JSON, JSON,
)
def test_whatever_a_field_holds_it_is_read_or_refused_with_its_path(name, inner, value, other):
    body = {"hook": "order-select", "hookInstance": "i", "context": CONTEXT | {
        "draftOrders": DRAFTS, "selections": [], inner: other}} | ({name: value} if name != "context" else {})
    try:
        HookRequest.read(json.dumps(body).encode(), SELECT)
    except BadRequest as fault:
        assert fault.path


@pytest.mark.parametrize("name, where", [
    (b'"extension"', None), (b'"encounterId"', "context"), (b'"labs"', None), (b'"entry"', "context.draftOrders"),
])
def test_a_name_that_is_not_utf_8_is_refused_wherever_it_stands(name, where):
    context = CONTEXT | {"encounterId": "e-1", "draftOrders": DRAFTS}
    asked = {"hook": SIGN.hook, "hookInstance": "i-1", "context": context, "prefetch": {"labs": None}, "extension": {}}
    fault = refused(HookRequest.read, json.dumps(asked).encode().replace(name, name[:-2] + b'\xff"'), SIGN)
    assert (fault.message, fault.path) == (NOT_JSON, where)


@pytest.mark.parametrize("was, now", [
    (b'"resource":', b'"re\xffource":'), (b'"fullUrl":', b'"full\xffrl":'), (b'"urn:uuid:1"', b'"urn:\xffuid:1"'),
])
def test_an_entry_that_is_not_utf_8_costs_no_other_draft(was, now):
    asked = {"hook": SIGN.hook, "hookInstance": "i-1", "context": CONTEXT | {"draftOrders": {
        "resourceType": "Bundle", "entry": [*DRAFTS["entry"], {"resource": {"resourceType": "Y"}}]}}}
    drafts = HookRequest.read(json.dumps(asked).encode().replace(was, now, 1), SIGN).drafts
    assert (len(drafts), drafts[1].raw) == (2, b'{"resourceType": "Y"}')


@pytest.mark.parametrize("body", [b"[" * 100_000 + b"]" * 100_000, b"{", b'{"hook": "\xff"}'])
def test_a_body_that_cannot_be_read_at_all_names_no_path(body):
    assert refused(HookRequest.read, body, VIEW).path is None


@pytest.mark.parametrize("part, where", [
    ("prefetch", '{"patient": %s}'), ("context", '{"userId": "Practitioner/1", "patientId": "p-1", "more": %s}'),
])
def test_json_nested_too_deeply_is_said_to_be_so(part, where):
    body = {"hook": VIEW.hook, "hookInstance": "i-1", "context": CONTEXT, part: "PART"}
    deep = where % ("[" * 100_000 + "]" * 100_000)
    fault = refused(HookRequest.read, json.dumps(body).replace('"PART"', deep).encode(), VIEW)
    assert (fault.message, fault.path) == ("the JSON is nested too deeply to be read", None)


@pytest.mark.parametrize("seconds, says", [
    ("true", "expected a number or text or null, found true or false"),
    ("1e400", "a number is too large to be read: send a smaller one"),
    ("9" * 5000, "a number is too large to be read: send a smaller one"),
])
def test_a_life_of_a_token_that_is_no_number_is_said_with_its_place(seconds, says):
    body = {"hook": VIEW.hook, "hookInstance": "i-1", "context": CONTEXT, "fhirAuthorization": {
        "access_token": "opaque", "expires_in": "SECONDS"}}
    fault = refused(HookRequest.read, json.dumps(body).replace('"SECONDS"', seconds).encode(), VIEW)
    assert (fault.message, fault.path) == (says, "fhirAuthorization.expires_in")


@pytest.mark.parametrize("entry", [7, None, [], "x"])
def test_an_entry_that_is_none_is_an_unreadable_draft_and_costs_no_other(entry):
    (unread, read_) = sign({"draftOrders": {"resourceType": "Bundle", "entry": [entry, *DRAFTS["entry"]]}}).drafts
    assert (unread.raw, unread.full_url) == (b"null", None)
    assert read_.full_url == "urn:uuid:1"


@pytest.mark.parametrize("url", [7, None, ["urn:uuid:1"], {"value": "urn:uuid:1"}])
def test_a_draft_whose_full_url_is_no_text_is_kept_without_it(url):
    bundle = {"resourceType": "Bundle", "entry": [{"fullUrl": url, "resource": {"resourceType": "X"}}]}
    (draft,) = sign({"draftOrders": bundle}).drafts
    assert (draft.full_url, draft.raw) == (None, b'{"resourceType": "X"}')


@pytest.mark.parametrize(
    "twice", ['"resource": %s, "resource": %s', '"resource": %s}], "entr\\u0079": [{"resource": %s']
)
def test_a_draft_that_another_hides_is_not_lost_in_silence(twice):
    order = {"resourceType": "MedicationRequest", "id": "m1"}
    both = (json.dumps(order), json.dumps(order | {"id": "m2"}))
    written = '{"resourceType": "Bundle", "entry": [{%s}]}' % (twice % both)
    asked = {"hook": SIGN.hook, "hookInstance": "i-1", "context": CONTEXT | {"draftOrders": "DRAFTS"}}
    body = json.dumps(asked).replace('"DRAFTS"', written)
    request = HookRequest.read(body.encode(), SIGN)
    assert [draft.raw for draft in request.drafts].count(b"null") == 1


EMPTY = '{"resourceType": "Bundle", "entry": []}'


@pytest.mark.parametrize(("once", "twice"), [
    ('"extension":', '"extension": {}, "extension":'),
    ('"encounterId":', '"encounterId": "e-2", "encounterId":'),
    ('"other":', '"other": 5, "other":'),
])
def test_what_is_never_used_may_stand_twice(once, twice):
    context = CONTEXT | {"encounterId": "e-1", "draftOrders": DRAFTS}
    asked = {"hook": SIGN.hook, "hookInstance": "i-1", "context": context, "prefetch": {"other": 1}, "extension": {}}
    assert len(HookRequest.read(json.dumps(asked).replace(once, twice).encode(), SIGN).drafts) == 1


@pytest.mark.parametrize("once, twice, path", [
    ('"hook":', '"hook": "order-sign", "hook":', None),
    ('"context":', '"context": {}, "context":', None),
    ('"prefetch":', '"prefetch": {}, "prefetch":', None),
    ('"prefetch":', '"prefetch": {}, "pre\\u0066etch":', None),
    ('"draftOrders":', f'"draftOrders": {EMPTY}, "draftOrders":', "context"),
    ('"patientId":', '"patientId": "p-2", "patientId":', "context"),
    ('"labs":', f'"labs": {EMPTY}, "labs":', "prefetch"),
    ('"labs":', f'"labs": {EMPTY}, "l\\u0061bs":', "prefetch"),
])
def test_of_two_elements_of_one_name_none_is_taken(once, twice, path):
    context = CONTEXT | {"draftOrders": DRAFTS}
    asked = {"hook": SIGN.hook, "hookInstance": "i-1", "context": context, "prefetch": {"labs": None}, "extension": {}}
    written = json.dumps(asked)
    HookRequest.read(written.encode(), SIGN)
    fault = refused(HookRequest.read, written.replace(once, twice).encode(), SIGN)
    assert (fault.message, fault.path) == ("an element stands twice in one object: send each of them once", path)


def test_more_drafts_than_can_be_read_in_time_are_not_read_and_not_lost_in_silence():
    entries = [{"resource": {"resourceType": "X", "id": str(number)}} for number in range(MOST_DRAFTS + 2)]
    drafts = sign({"draftOrders": {"resourceType": "Bundle", "entry": entries}}).drafts
    assert [draft.raw for draft in drafts].count(b"null") == 2
    assert len(drafts) == MOST_DRAFTS + 2


def test_a_number_of_any_size_hides_no_draft_behind_another():
    number = "9" * 5000
    entry = f'{{"resource": {{"resourceType": "X", "n": {number}}}, "resource": {{"resourceType": "X"}}}}'
    asked = {"hook": SIGN.hook, "hookInstance": "i-1", "context": CONTEXT | {"draftOrders": "DRAFTS"}}
    body = json.dumps(asked).replace('"DRAFTS"', f'{{"entry": [{entry}]}}')
    assert [draft.raw for draft in HookRequest.read(body.encode(), SIGN).drafts].count(b"null") == 1
