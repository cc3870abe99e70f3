"""The dialects of clients, each with the test that plays it: a function of a test file, or a capture that is replayed.

A dialect is a way in which a real client departs from the plain reading of CDS Hooks or FHIR, as its description or its
code says. A new one gets a line here; a capture that no line names is a dialect that nobody wrote down.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

HOME = Path(__file__).parent
CLIENTS = ("sandbox", "epic", "oracle", "athena", "healthchain", "any")
DIALECTS: dict[str, str] = {
    "sandbox: every call is asked for beforehand": "captures/sandbox/preflight.json",
    "sandbox: the answer may be read by its page": "web/test_guard.py::"
    "test_a_page_of_loopback_or_of_the_sandbox_may_ask_and_then_call",
    "sandbox: two services with one id overwrite each other": "hooks/test_discovery.py::"
    "test_disc_j_each_hook_has_an_id_of_its_own_because_clients_key_cards_by_it",
    "sandbox: a token to services that need none": "web/test_hooks_api.py::"
    "test_discovery_ignores_a_body_and_an_unasked_token",
    "sandbox: its key is public, so its issuer opens no hospital": "web/test_trust.py::"
    "test_the_sandbox_has_no_way_in",
    "sandbox: a query that failed is a key left out": "captures/any/prefetch-missing.json",
    "sandbox: no prefetch at all": "hooks/test_request.py::test_no_prefetch_is_a_legal_request",
    "sandbox: a FHIR server without a token": "gather/test_query.py::test_the_token_goes_along_only_when_there_is_one",
    "sandbox: a search by POST": "test_sandboxes.py::test_the_server_answers_as_the_sandbox_asks",
    "sandbox: draft orders in a Bundle without type": "hooks/test_request.py::"
    "test_an_untyped_or_empty_bundle_of_drafts_is_read",
    "sandbox: a draft without intent": "gather/test_resources.py::"
    "test_the_intent_that_a_draft_lacks_is_filled_while_it_is_checked_only",
    "sandbox: order-select before a drug is chosen": "captures/sandbox/select-no-drug-yet.json",
    "sandbox: an object for the list of categories": "gather/test_resources.py::"
    "test_an_object_where_a_list_belongs_is_wrapped_and_noted",
    "sandbox: a dose in {pill}": "captures/sandbox/select-voriconazole.json",
    "sandbox: signing the same order": "captures/sandbox/sign-voriconazole.json",
    "sandbox: no encounter": "captures/sandbox/view.json",
    "sandbox: raw HTML in a detail is rendered": "cards/test_plain.py::test_what_a_chart_wrote_comes_out_as_it_was",
    "sandbox: a changed order only with text and code": "cards/test_write.py::"
    "test_the_sandbox_is_offered_a_changed_order_only_with_text_and_code",
    "sandbox: feedback, one entry, accepted": "captures/sandbox/feedback-accepted.json",
    "sandbox: feedback, a reason by code alone": "captures/sandbox/feedback-overridden.json",
    "epic: no discovery, keys of its own": "test_conversation.py::test_keys_that_we_did_not_ask_for_are_not_read",
    "epic: extensions of the request": "test_conversation.py::"
    "test_what_we_do_not_know_changes_nothing_and_no_token_comes_back",
    "epic: viewing, with a role as user": "captures/epic/view-on-gilteritinib.json",
    "epic: no draft orders without its scopes": "captures/epic/sign-without-the-scopes.json",
    "epic: a draft refers to a Medication that is an entry": "captures/epic/select-no-ecg.json",
    "epic: several codes of one drug, its own among them": "facts/test_corpus.py::test_an_order",
    "epic: absolute references": "gather/test_collect.py::"
    "test_a_reference_to_this_patient_may_be_relative_absolute_or_versioned",
    "epic: doses of several types": "facts/test_doses.py::test_the_ordered_amount_comes_before_a_calculated_one",
    "epic: a search without hits is an outcome": "gather/test_query.py::"
    "test_a_mere_warning_that_there_are_no_hits_is_no_problem",
    "epic: an audience that was typed in": "security/test_callers.py::"
    "test_an_audience_that_was_typed_into_the_ehr_counts",
    "epic: RS384, nbf": "security/test_callers.py::test_a_good_token_names_its_tenant",
    "epic: one action for a suggestion, any of them": "captures/epic/sign-stop.json",
    "epic: codes of the preference list": "cards/test_write.py::"
    "test_with_the_hospitals_code_epic_gets_the_order_by_that_code_first",
    "epic: a stable code of the topic, letters and digits": "test_published_codes.py::"
    "test_topic_codes_are_letters_and_digits_and_each_rule_has_its_own",
    "epic: overrideReasons as an object": "captures/epic/feedback-override-reasons.json",
    "oracle: viewing, a narrow panel": "captures/oracle/view-narrow.json",
    "oracle: text alone, at a relapse": "captures/oracle/view-relapse-narrow.json",
    "athena: silent tracking": "captures/athena/select-silent-tracking.json",
    "healthchain: a patient whom the call does not name": "captures/healthchain/another-patient.json",
    "healthchain: results of another patient": "captures/healthchain/another-patients-results.json",
    "healthchain: one Bundle as the whole prefetch": "captures/healthchain/bundle-as-prefetch.json",
    "any: null for what there is none of": "captures/any/prefetch-null.json",
    "any: prefetch that we did not ask for": "captures/any/prefetch-foreign.json",
    "any: more in the context": "captures/any/context-extras.json",
    "any: pages of a result": "gather/test_collect.py::test_further_pages_of_a_bundle_that_was_sent_along_are_read",
    "any: more than one space before a token": "security/test_callers.py::test_a_good_token_names_its_tenant",
    "any: every shape of feedback": "test_conversation.py::"
    "test_every_dialect_of_feedback_is_accepted_also_twice_and_in_a_batch",
}


@cache
def functions(file: Path) -> frozenset[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize("dialect", DIALECTS)
def test_each_dialect_is_played_by_a_test_that_there_is(dialect: str) -> None:
    file, _, function = DIALECTS[dialect].partition("::")
    assert (HOME / file).is_file()
    assert not function or function in functions(HOME / file)


def test_each_client_and_each_capture_is_in_the_table() -> None:
    assert {each.partition(":")[0] for each in DIALECTS} == set(CLIENTS)
    captures = {file.relative_to(HOME).as_posix() for file in (HOME / "captures").glob("*/*.json")}
    assert captures == {each for each in DIALECTS.values() if each.startswith("captures/")}
    assert {Path(each).parts[1] for each in captures} == set(CLIENTS)
