"""The verifier that the tests put behind API servers agrees with AWS' own program."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.fakes.eks_verifier import Key, Rejected, verify

VECTORS = json.loads((Path(__file__).parents[1] / "auth/eks_token_vectors.json").read_text())
ARN = "arn:aws:iam::123456789012:user/hub"


def url_of(token: str) -> str:
    encoded = token.removeprefix("k8s-aws-v1.")
    return base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode()


def token_of(url: str) -> str:
    return "k8s-aws-v1." + base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")


def made_at(token: str) -> datetime:
    date = parse_qs(urlsplit(url_of(token)).query)["X-Amz-Date"][0]
    return datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


def judge(
    vector: dict[str, Any],
    token: str = "",
    *,
    after: float = 0,
    cluster: str = "",
    secret: str = "",
) -> str:
    environment = dict(vector["environment"])
    secret = secret or environment["AWS_SECRET_ACCESS_KEY"]
    keys = {environment["AWS_ACCESS_KEY_ID"]: Key(secret, ARN)}
    now = made_at(vector["token"]) + timedelta(seconds=after)
    return verify(token or vector["token"], cluster or vector["cluster"], keys, now)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v["name"])
def test_every_token_of_awss_own_program_is_accepted(vector: dict[str, str]) -> None:
    assert judge(vector) == ARN
    assert judge(vector, after=899) == ARN


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v["name"])
def test_no_token_is_good_for_another_cluster_secret_or_time(vector: dict[str, str]) -> None:
    with pytest.raises(Rejected, match="signature"):
        judge(vector, cluster="another")
    with pytest.raises(Rejected, match="signature"):
        judge(vector, secret="another")
    with pytest.raises(Rejected, match="signed at"):
        judge(vector, after=901)
    with pytest.raises(Rejected, match="signed at"):
        judge(vector, after=-301)


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("https://sts.", "http://sts.", "endpoint"),
        ("https://sts.eu-west-1.amazonaws.com", "https://sts.example.org", "endpoint"),
        (".amazonaws.com/", ".amazonaws.com/x", "endpoint"),
        ("GetCallerIdentity", "AssumeRole", "action"),
        ("&X-Amz-Date", "&Extra=1&X-Amz-Date", "unknown"),
        ("&X-Amz-Date", "&Version=2011-06-15&X-Amz-Date", "twice"),
        ("%3Bx-k8s-aws-id", "", "not signed"),
        ("Expires=60", "Expires=901", "bounds"),
        ("Expires=60", "Expires=61", "signature"),
    ],
)
def test_a_changed_url_is_refused(old: str, new: str, why: str) -> None:
    vector = VECTORS[0]
    url = url_of(vector["token"])
    assert old in url
    with pytest.raises(Rejected, match=why):
        judge(vector, token_of(url.replace(old, new)))


def test_what_is_no_such_token_is_refused() -> None:
    vector = VECTORS[0]
    for token in (vector["token"] + "==", "opaque", "k8s-aws-v1." + "a" * 5000, "k8s-aws-v1.?"):
        with pytest.raises(Rejected):
            judge(vector, token)
