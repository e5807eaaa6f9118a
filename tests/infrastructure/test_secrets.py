"""The vault: what it seals it opens, for the same place and with a key that it has."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infrastructure.secrets import AesGcmVault, BadKeys, CannotOpen, new_key

OLD = f"1:{base64.b64encode(bytes(range(32))).decode()}"
NEW = f"2:{base64.b64encode(bytes(range(32, 64))).decode()}"
PLACE = "app|payment_providers|credential|row"
SECRET = "test_dHar4XY7LxsDOtmnkVtjNVWXLSlXsM"


@given(st.text(), st.text())
def test_what_is_sealed_opens_at_the_same_place(secret: str, place: str):
    vault = AesGcmVault(OLD)
    assert vault.open(vault.seal(secret, context=place), context=place) == secret


def test_the_secret_cannot_be_seen_in_what_is_stored():
    assert SECRET.encode() not in AesGcmVault(OLD).seal(SECRET, context=PLACE)


def test_sealing_twice_never_looks_the_same():
    vault = AesGcmVault(OLD)
    assert vault.seal(SECRET, context=PLACE) != vault.seal(SECRET, context=PLACE)


def test_the_newest_key_seals_and_older_ones_still_open():
    sealed_before = AesGcmVault(OLD).seal(SECRET, context=PLACE)
    rotated = AesGcmVault(f"{NEW}, {OLD}")

    assert rotated.open(sealed_before, context=PLACE) == SECRET
    sealed_after = rotated.seal(SECRET, context=PLACE)
    assert AesGcmVault(NEW).open(sealed_after, context=PLACE) == SECRET


def test_a_key_that_is_gone_is_named_by_its_version():
    sealed = AesGcmVault(OLD).seal(SECRET, context=PLACE)
    with pytest.raises(CannotOpen, match="key version 1 is missing"):
        AesGcmVault(NEW).open(sealed, context=PLACE)


def test_a_row_copied_elsewhere_does_not_open():
    vault = AesGcmVault(OLD)
    sealed = vault.seal(SECRET, context=PLACE)
    with pytest.raises(CannotOpen, match="another place"):
        vault.open(sealed, context="another-app|payment_providers|credential|row")


def test_every_single_byte_is_protected():
    vault = AesGcmVault(f"{NEW},{OLD}")
    sealed = vault.seal(SECRET, context=PLACE)
    for position in range(len(sealed)):
        damaged = bytearray(sealed)
        damaged[position] ^= 1
        with pytest.raises(CannotOpen):
            vault.open(bytes(damaged), context=PLACE)


@pytest.mark.parametrize("length", [0, 1, 5, 17, 32])
def test_what_is_too_short_to_be_sealed_does_not_open(length: int):
    vault = AesGcmVault(OLD)
    with pytest.raises(CannotOpen, match="not sealed by this vault"):
        vault.open(vault.seal(SECRET, context=PLACE)[:length], context=PLACE)


@pytest.mark.parametrize(
    ("keys", "complaint"),
    [
        ("", "key 1 is not version:base64"),
        ("AAAA", "key 1 is not version:base64"),
        (f"{OLD},", "key 2 is not version:base64"),
        ("x:AAAA", "key 1 is not version:base64"),
        ("1:%%%%", "not base64"),
        ("1:AAAA", "has 3 bytes, not 32"),
        (f"{OLD},{OLD}", "used once"),
        (OLD.replace("1:", "4294967296:"), "used once"),
    ],
)
def test_a_wrong_setting_says_which_key_is_wrong_and_how(keys: str, complaint: str):
    with pytest.raises(BadKeys, match=complaint):
        AesGcmVault(keys)


def test_a_complaint_about_keys_does_not_show_them():
    key = OLD.partition(":")[2]
    with pytest.raises(BadKeys) as caught:
        AesGcmVault(f"{OLD},1:{key}")
    assert key not in str(caught.value)


def test_a_new_key_works_and_is_never_the_same():
    first, second = new_key(), new_key(2)
    assert first.startswith("1:") and second.startswith("2:")
    assert first.partition(":")[2] != second.partition(":")[2]
    vault = AesGcmVault(f"{second},{first}")
    assert vault.open(vault.seal(SECRET, context=PLACE), context=PLACE) == SECRET
