"""What was sealed is opened by the same secret alone, in the same process alone."""

from __future__ import annotations

import pytest
from cryptography.exceptions import InvalidTag

from cds_service.security.sealing import Seals


def test_the_same_secret_opens_what_it_sealed() -> None:
    seals = Seals()
    sealed = seals.seal("secret", b"a patient")
    assert seals.unseal("secret", sealed) == b"a patient"
    assert b"patient" not in sealed and sealed != seals.seal("secret", b"a patient")


@pytest.mark.parametrize("secret", ["", "Secret", "secret "])
def test_another_secret_does_not(secret: str) -> None:
    seals = Seals()
    sealed = seals.seal("secret", b"a patient")
    with pytest.raises(InvalidTag):
        seals.unseal(secret, sealed)


def test_nor_the_same_one_after_a_restart() -> None:
    sealed = Seals().seal("secret", b"a patient")
    with pytest.raises(InvalidTag):
        Seals().unseal("secret", sealed)


def test_a_name_tells_neither_and_is_the_secrets_own() -> None:
    seals = Seals()
    name = seals.name("secret", "Patient/p1")
    assert name == seals.name("secret", "Patient/p1") != seals.name("other", "Patient/p1")
    assert b"p1" not in name and b"secret" not in name
