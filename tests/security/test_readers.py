"""Readers: what their file may hold, whose password opens, and how long a login lasts."""

from __future__ import annotations

import hashlib
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import SimpleNamespace

import pytest

from cds_service.errors import SettingsError, StoreError, TooOften
from cds_service.security import readers as security
from cds_service.security.readers import Login, entry, is_name, read_readers

SECRET, OTHER = "a long enough secret", "another long secret"
ENTRY, OTHERS = entry("a.example", "", SECRET), entry("b.example", "", OTHER)


@pytest.fixture
def file(tmp_path):
    def write(text):
        (tmp_path / "readers.toml").write_text(text, encoding="utf-8")
        return tmp_path / "readers.toml"

    return write


@pytest.fixture
def clock():
    return SimpleNamespace(now=1_800_000_000.7)


def mark(text: bytes) -> str:
    return hashlib.sha256(b"key" + text).hexdigest()[:32]


@pytest.fixture
def login(file, clock):
    two = f"{ENTRY}\n{OTHERS}\n"
    return Login(read_readers(file(two), frozenset()), 900, lambda: mark, lambda: clock.now)


def test_what_the_command_writes_is_read_and_holds_no_password(file):
    read = read_readers(file(f"{ENTRY}\n\n{entry('b@example.org', '', OTHER)}\n"), frozenset())
    assert list(read) == ["a.example", "b@example.org"]
    assert SECRET not in ENTRY and read["a.example"].password not in repr(read["a.example"])
    assert entry("a.example", "", SECRET) != ENTRY, "each has its own salt"


def test_a_reader_belongs_to_a_hospital_where_there_are_some(file):
    quoted = 'Clinic "north" \\ Öst'
    assert read_readers(file(entry("a", quoted, SECRET)), frozenset((quoted,)))["a"].tenant == quoted
    north = file(entry("a.example", "north", SECRET))
    assert read_readers(north, frozenset(("north", "south")))["a.example"].tenant == "north"
    with pytest.raises(SettingsError, match="'tenant': expected one of east, west"):
        read_readers(north, frozenset(("east", "west")))
    with pytest.raises(SettingsError, match="demo mode"):
        read_readers(north, frozenset())
    with pytest.raises(SettingsError, match="'tenant': expected one of north"):
        read_readers(file(ENTRY), frozenset(("north",)))


@pytest.mark.parametrize(("text", "said"), [
    ("", "has no reader"),
    ("x = 1", "has no reader"),
    ("reader = 1", "has no reader"),
    ("reader = [1]", "expected a table"),
    ("[[reader]]\nname = 'A'\npassword = 'x'", "'name': expected small letters"),
    ("[[reader]]\nname = 1", "'name': expected small letters"),
    ("[[reader]]\nname = 'a'\npassword = 'typed in plain'", "'password': expected the hash"),
    (ENTRY.replace("scrypt:32768:8:1", "scrypt:1:8:1"), "'password': expected the hash"),
    (ENTRY.replace("scrypt:32768:8:1", "scrypt:1048576:99:1"), "'password': expected the hash"),
    ("[[reader]]\nname = 'a'\npasword = 'x'", "'pasword': expected one of name, password, tenant"),
    (f"{ENTRY}\n{ENTRY}", "two readers of one name"),
    ("[[reader", "is not TOML"),
])  # fmt: skip
def test_a_wrong_file_stops_the_start_and_says_where(file, text, said):
    with pytest.raises(SettingsError, match=said) as error:
        read_readers(file(text), frozenset())
    assert "readers.toml" in str(error.value) and "typed in plain" not in str(error.value)


def test_a_file_that_is_gone_or_is_no_text_stops_the_start(tmp_path):
    with pytest.raises(SettingsError, match="cannot be read"):
        read_readers(tmp_path / "nowhere.toml", frozenset())
    (tmp_path / "bytes").write_bytes(b"\xff")
    with pytest.raises(SettingsError, match="not TOML"):
        read_readers(tmp_path / "bytes", frozenset())


def test_a_login_lasts_its_time_and_is_its_readers_alone(login, clock):
    made = login.begin("a.example", SECRET)
    assert login.who(made).name == "a.example"
    clock.now += 899
    assert login.who(made).name == "a.example"
    clock.now += 1
    assert login.who(made) is None


@pytest.mark.parametrize(("name", "password"), [
    ("a.example", OTHER), ("b.example", SECRET), ("nobody", SECRET), ("", ""), ("a.example", ""),
    ("a.example", SECRET + "x" * 300), ("a.example", SECRET.upper()),
])  # fmt: skip
def test_a_wrong_name_or_password_opens_nothing(login, name, password):
    assert login.begin(name, password) is None


def test_a_cookie_that_was_changed_is_nobodys(login):
    made = login.begin("a.example", SECRET)
    until, told, name = made.split("-", 2)
    changed = [
        "", "x", f"{until}-{told}-b.example", f"{int(until) + 1}-{told}-{name}", f"{until}-{'0' * 32}-{name}",
        f"{until}-{told}-nobody", f"{made} ", made.upper(), f"0{made}", f"{until}-{told}-",
    ]  # fmt: skip
    assert [login.who(each) for each in changed] == [None] * len(changed)


def test_a_login_ends_when_the_reader_goes_or_gets_another_password_or_hospital(login):
    made = login.begin("a.example", SECRET)
    reader = login.readers["a.example"]
    for changed in (
        {}, {"a.example": replace(reader, password=login.readers["b.example"].password)},
        {"a.example": replace(reader, tenant="north")},
    ):  # fmt: skip
        assert replace(login, readers=changed).who(made) is None


def test_another_key_makes_another_mark(login):
    made = login.begin("a.example", SECRET)
    other = replace(login, marker=lambda: lambda text: mark(text + b"other"))
    assert other.who(made) is None and replace(login, marker=lambda: None).who(made) is None


def test_without_the_key_nobody_logs_in_and_that_is_no_wrong_password(login):
    with pytest.raises(StoreError):
        replace(login, marker=lambda: None).begin("a.example", SECRET)


def test_a_name_is_tried_ten_times_a_minute_and_all_together_sixty(login, monkeypatch):
    monkeypatch.setattr(security, "check_password_hash", lambda _, password: password == SECRET)  # the others are slow
    for _ in range(10):
        assert login.begin("nobody", "x") is None
    with pytest.raises(TooOften) as error:
        login.begin("nobody", "x")
    assert 1 <= error.value.retry_after <= 60
    assert login.begin("a.example", SECRET), "others are not held up"
    # 12 so far: the limit of all comes at the 61st, and by then each of these names has had one try
    outcomes = []
    for number in range(60):
        try:
            outcomes.append(login.begin(f"name{number}", "x"))
        except TooOften:
            break
    assert len(outcomes) == 48
    with pytest.raises(TooOften):
        login.begin("a.example", SECRET)


def test_few_wait_for_a_hash_and_the_others_are_told_at_once(login, monkeypatch):
    slow, asked = threading.Event(), threading.Semaphore(0)
    monkeypatch.setattr(security, "check_password_hash", lambda *_: asked.release() or slow.wait(10))
    with ThreadPoolExecutor(16) as threads:
        tries = [threads.submit(login.begin, f"name{number}", "x") for number in range(16)]
        assert asked.acquire(timeout=10)
        until = time.monotonic() + 10
        while sum(each.done() for each in tries) < 13 and time.monotonic() < until:
            time.sleep(0.01)
        turned_away = [each.exception() for each in tries if each.done()]
        slow.set()
    assert len(turned_away) == 13 and {type(each) for each in turned_away} == {TooOften}
    assert {each.retry_after for each in turned_away} == {1}
    assert login.begin("a.example", SECRET), "nobody is kept out for having come when it was full"


def test_a_name_that_nobody_has_takes_as_long(login, monkeypatch):
    checked = []
    monkeypatch.setattr(security, "check_password_hash", lambda *given: checked.append(given) or False)
    assert login.begin("nobody", "x") is None and login.begin("a.example", "x") is None
    assert len(checked) == 2 and all(hashed.startswith("scrypt:") for hashed, _ in checked)


def test_the_slow_part_is_slow_on_purpose_and_not_too_slow(login):
    since = time.process_time()
    login.begin("a.example", "x")
    assert 0.005 < time.process_time() - since < 2


def test_who_logs_in_and_who_fails_is_told_by_names_that_are_known(login):
    told = []
    heard = replace(login, told=lambda *what: told.append(what))
    heard.begin("a.example", SECRET)
    heard.begin("b.example", "wrong")
    heard.begin("typed my password here", "x")
    assert told == [
        ("a reader logged in", "a.example", ""), ("a login failed", "b.example", ""), ("a login failed", "", ""),
    ]  # fmt: skip


@pytest.mark.parametrize(("name", "fits"), [
    ("a", True), ("a.b_c@d-e9", True), ("9", True), ("A", False), ("", False), (".a", False), ("a b", False),
    ("ä", False), ("a" * 64, True), ("a" * 65, False), ("a\n", False),
])  # fmt: skip
def test_how_a_reader_may_be_called(name, fits):
    assert is_name(name) is fits
