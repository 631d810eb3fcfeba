"""The scan for secrets finds them wherever they are."""

from __future__ import annotations

import logging
import tempfile

import pytest

from mcks.errors import AuthError, ConfigError
from tests.backends.refusals import SecretScan

SECRET = "THESECRET"


def chained() -> AuthError:
    try:
        try:
            int(SECRET)
        except ValueError:
            raise AuthError("no") from None
    except AuthError as exc:
        return exc
    raise AssertionError


def test_nothing_is_found_where_nothing_is(secret_scan: SecretScan) -> None:
    secret_scan.check([SECRET], ConfigError("no"), object())


def test_a_secret_in_a_hidden_context_is_found(secret_scan: SecretScan) -> None:
    with pytest.raises(AssertionError, match=SECRET):
        secret_scan.check([SECRET], chained())


def test_a_secret_in_a_log_is_found_even_at_debug(secret_scan: SecretScan) -> None:
    logging.getLogger("some.sdk").debug("%s", SECRET)
    with pytest.raises(AssertionError, match=SECRET):
        secret_scan.check([SECRET], ConfigError("no"))


def test_a_secret_in_an_attribute_of_an_error_is_found(secret_scan: SecretScan) -> None:
    failure = ConfigError("no")
    failure.answer = {"body": SECRET}  # type: ignore[attr-defined]
    with pytest.raises(AssertionError, match=SECRET):
        secret_scan.check([SECRET], failure)


def test_a_file_that_is_left_is_found(secret_scan: SecretScan) -> None:
    with tempfile.NamedTemporaryFile(), pytest.raises(AssertionError):
        secret_scan.check([], ConfigError("no"))
    secret_scan.check([], ConfigError("no"))
