"""Feedback in the dialects of real clients."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from threading import Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.errors import BadRequest, TooLarge
from cds_service.hooks.feedback import MOST, Feedback, FeedbackCounts, Reason

EPIC = "com.epic.cdshooks.feedback.overrideReason.reason"
MISSING = type("Missing", (), {"__repr__": lambda _: "missing"})()


def read(*entries):
    return Feedback.read(json.dumps({"feedback": list(entries)}).encode())


def overridden(**more):
    return {"card": "c1", "outcome": "overridden", "outcomeTimestamp": "2026-11-20T08:30:00Z", **more}


def test_the_specification_s_own_form_is_read():
    (one,) = read(overridden(overrideReason={
        "reason": {"code": "c", "system": "http://s.example", "display": "Not wanted"}, "userComment": "typed text",
    }))
    assert one == Feedback(
        card="c1", outcome="overridden", accepted=(), reasons=(Reason("c", "http://s.example", "Not wanted"),),
        comment=True, at=datetime(2026, 11, 20, 8, 30, tzinfo=UTC),
    )


def test_what_a_clinician_typed_is_not_kept():
    (one,) = read(overridden(overrideReason={"userComment": "typed text"}))
    assert one.comment and "typed text" not in repr(one)


@pytest.mark.parametrize("override, expected", [
    ({"overrideReason": {"reason": {"code": "c", "system": "s"}}}, (Reason("c", "s"),)),
    ({"overrideReason": {"reason": {"code": "c"}}}, (Reason("c"),)),
    ({"overrideReason": {"reason": {"code": "c", "system": "", "display": " "}}}, (Reason("c"),)),
    ({"overrideReasons": {"extension": {f"{EPIC}Display": "", f"{EPIC}Category": ""}}}, ()),
    ({"overrideReasons": {"reason": {"code": "c", "display": "d"}}}, (Reason("c", None, "d"),)),
    ({"overrideReasons": [{"reason": {"code": "c"}}, {"reason": {"code": "e"}}]}, (Reason("c"), Reason("e"))),
    ({"overrideReasons": [{"code": "c", "system": "s"}]}, (Reason("c", "s"),)),
    ({"overrideReason": [{"reason": "c"}]}, (Reason("c"),)),
    ({"overrideReasons": {"extension": {
        f"{EPIC}Category": "45", f"{EPIC}Display": "Not met", f"{EPIC}Title": "Title"}, "userComment": "x"}},
     (Reason("45", f"{EPIC}Category", "Not met"),)),
    ({"overrideReasons": {"extension": {f"{EPIC}Title": "Title"}}}, (Reason(None, None, "Title"),)),
    ({"overrideReasons": {"extension": {"com.example": 1}}}, ()),
    ({"overrideReason": None}, ()),
    ({"overrideReasons": []}, ()),
    ({}, ()),
], ids=repr)
def test_a_reason_is_found_wherever_a_client_puts_it(override, expected):
    (one,) = read(overridden(**override))
    assert one.reasons == expected


@pytest.mark.parametrize("accepted, expected", [
    ([{"id": "s1"}, {"id": "s2"}], ("s1", "s2")), ({"id": "s1"}, ("s1",)), (["s1"], ("s1",)), (None, ()), ([], ()),
])
def test_accepted_suggestions_are_named(accepted, expected):
    (one,) = read({"card": "c1", "outcome": "accepted", "acceptedSuggestions": accepted})
    assert one.accepted == expected


@pytest.mark.parametrize("text, expected", [
    ("2026-11-20T08:30:00.123Z", datetime(2026, 11, 20, 8, 30, 0, 123000, tzinfo=UTC)),
    ("2026-11-20T08:30:00+09:00", datetime(2026, 11, 20, 8, 30, tzinfo=timezone(timedelta(hours=9)))),
    ("2026-11-20T08:30:00", datetime(2026, 11, 20, 8, 30, tzinfo=UTC)),
    ("2026-11-20t08:30:00z", datetime(2026, 11, 20, 8, 30, tzinfo=UTC)),
    (None, None),
])
def test_the_time_is_read_with_its_zone(text, expected):
    (one,) = read(overridden(outcomeTimestamp=text))
    assert one.at == expected


def test_a_batch_about_several_cards_and_one_card_twice_is_legal():
    entries = read(overridden(), overridden(card="123456"), overridden(), {"card": 7, "outcome": "Accepted"})
    assert [entry.card for entry in entries] == ["c1", "123456", "c1", "7"]
    assert entries[-1].outcome == "accepted"


def test_a_single_entry_without_list_is_read():
    assert len(Feedback.read(json.dumps({"feedback": overridden()}).encode())) == 1


def test_as_many_entries_as_allowed_are_read_and_one_more_is_to_be_sent_apart():
    assert len(read(*[overridden()] * MOST)) == MOST
    with pytest.raises(TooLarge, match="send them in several parts") as refused:
        read(*[overridden()] * (MOST + 1))
    assert refused.value.path == "feedback"


@pytest.mark.parametrize("body, path", [
    (b"", None), (b"{", None), (b"[]", None), (b"7", None), (b"null", None), (b"[" * 100_000, None),
    (b'{"feedback": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", None),
    (b"{}", "feedback"), (b'{"feedback": null}', "feedback"), (b'{"feedback": "x"}', "feedback"),
    (b'{"feedback": [[]]}', "feedback[0]"), (b'{"feedback": [null]}', "feedback[0]"),
])
def test_a_malformed_body_is_refused(body, path):
    with pytest.raises(BadRequest) as refused:
        Feedback.read(body)
    assert refused.value.path == path


@pytest.mark.parametrize("once, twice", [
    ('"feedback":', '"feedback": [], "feedback":'), ('"outcome":', '"outcome": "accepted", "outcome":'),
])
def test_what_stands_twice_is_refused_since_one_of_the_two_would_be_lost(once, twice):
    written = json.dumps({"feedback": [overridden()]})
    assert Feedback.read(written.encode())
    with pytest.raises(BadRequest, match="stands twice"):
        Feedback.read(written.replace(once, twice).encode())


@pytest.mark.parametrize("more, path", [
    ({"card": MISSING}, "card"), ({"card": ""}, "card"), ({"card": True}, "card"), ({"card": {}}, "card"),
    ({"outcome": MISSING}, "outcome"), ({"outcome": "seen"}, "outcome"), ({"outcome": []}, "outcome"),
    ({"outcomeTimestamp": "yesterday"}, "outcomeTimestamp"), ({"outcomeTimestamp": {}}, "outcomeTimestamp"),
    ({"acceptedSuggestions": [{}]}, "acceptedSuggestions[0].id"),
    ({"acceptedSuggestions": [["x"]]}, "acceptedSuggestions[0]"),
    ({"overrideReason": "text"}, "overrideReason"),
    ({"overrideReasons": [{}, 7]}, "overrideReasons[1]"),
    ({"overrideReason": {"reason": 7.5}}, "overrideReason.reason"),
    ({"overrideReason": {"reason": {"code": []}}}, "overrideReason.reason.code"),
    ({"overrideReason": {"extension": "x"}}, "overrideReason.extension"),
], ids=repr)
def test_a_faulty_entry_is_refused_by_its_path(more, path):
    entry = {name: value for name, value in overridden(**more).items() if value is not MISSING}
    with pytest.raises(BadRequest) as refused:
        read(overridden(), entry)
    assert refused.value.path == f"feedback[1].{path}"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["card", "outcome", "reason", "code", "id", "extension", f"{EPIC}Display", "x"]), inner,
        max_size=4,
    ),
    max_leaves=8,
)


FIELDS = ("card", "outcome", "outcomeTimestamp", "acceptedSuggestions", "overrideReason", "overrideReasons")


@given(st.dictionaries(st.sampled_from(FIELDS), JSON))
def test_whatever_an_entry_holds_it_is_read_or_refused(entry):
    try:
        read({"card": "c1", "outcome": "accepted"} | entry)
    except BadRequest as refused:
        assert refused.path is not None and refused.path.startswith("feedback[0]")


def test_many_threads_count_every_outcome_once():
    counts, entries = FeedbackCounts(), read(overridden(), {"card": "c", "outcome": "accepted"})

    def count():
        for _ in range(200):
            counts.add("aml-order-sign", "", entries)

    threads = [Thread(target=count) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts.as_dict() == {"aml-order-sign": {"accepted": 1600, "overridden": 1600}}
