"""Base64 and PEM in what clouds and kubeconfigs say."""

from __future__ import annotations

import base64

import pytest

from mcks.auth.credential import Credential
from mcks.backends.pem import credential, decoded
from mcks.errors import ConfigError


def test_base64_becomes_bytes() -> None:
    assert decoded(base64.b64encode(b"pem").decode(), "the CA") == b"pem"


@pytest.mark.parametrize("data", ["x", "zertifikät"])
def test_what_is_not_base64_is_a_config_error_that_says_what_it_is(data: str) -> None:
    with pytest.raises(ConfigError, match=r"^the CA that GKE tells is not base64$"):
        decoded(data, "the CA that GKE tells")


def test_a_token_and_a_certificate_are_both_kept_and_what_is_empty_is_not_there() -> None:
    assert credential("t", b"c", b"k", 7.0) == Credential("t", "c", "k", 7.0)
    assert credential("", b"", None) == Credential()
