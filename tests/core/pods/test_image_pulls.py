"""What a container runtime says of an image, and whether that passes."""

from __future__ import annotations

import pytest

from mcks.core.pods.image_pulls import Outlook, judge

PULL = 'rpc error: code = {} desc = failed to pull and unpack image "r.example.org/x:1": '
RESOLVE = PULL.format("Unknown") + 'failed to resolve reference "r.example.org/x:1": '
ASK = 'failed to do request: Head "https://r.example.org/v2/x/manifests/1": '
STATUS = "unexpected status from HEAD request to https://r.example.org/v2/x/manifests/1: "
TOKEN = RESOLVE + "failed to authorize: failed to fetch anonymous token: "

PASSING = {
    "lookup timed out": RESOLVE + ASK + "dial tcp: lookup r.example.org on 10.0.0.10:53: "
    "read udp 10.0.0.4:53211->10.0.0.10:53: i/o timeout",
    "lookup, short": RESOLVE + ASK + "dial tcp: lookup r.example.org: i/o timeout",
    "no such host": RESOLVE + ASK + "dial tcp: lookup r.example.org on 10.0.0.10:53: no such host",
    "server misbehaving": RESOLVE + ASK + "dial tcp: lookup r.example.org: server misbehaving",
    "musl": RESOLVE + ASK + "dial tcp: lookup r.example.org: Try again",
    "connection timed out": RESOLVE + ASK + "dial tcp 192.0.2.1:443: connect: connection timed out",
    "dial timeout": PULL.format("DeadlineExceeded") + ASK + "dial tcp 192.0.2.1:443: i/o timeout",
    "refused": RESOLVE + ASK + "dial tcp 192.0.2.1:443: connect: connection refused",
    "no route": RESOLVE + ASK + "dial tcp 192.0.2.1:443: connect: no route to host",
    "unreachable": RESOLVE + ASK + "dial tcp 192.0.2.1:443: connect: network is unreachable",
    "reset": RESOLVE + ASK + "read tcp 10.0.0.4:1->192.0.2.1:443: read: connection reset by peer",
    "EOF": RESOLVE + ASK + "EOF",
    "unexpected EOF": PULL.format("Unknown") + "failed to copy: httpReadSeeker: failed open: "
    'failed to do request: Get "https://cdn.example.org/blob?sig=x": unexpected EOF',
    "handshake": RESOLVE + ASK + "net/http: TLS handshake timeout",
    "deadline": RESOLVE + ASK + "context deadline exceeded",
    "no progress": PULL.format("Canceled") + "context canceled",
    "http2": RESOLVE + ASK + "http2: client connection lost",
    "429": RESOLVE + STATUS + "429 Too Many Requests",
    "Docker Hub's limit": PULL.format("Unknown") + "failed to copy: httpReadSeeker: failed open: "
    "unexpected status code https://registry-1.docker.io/v2/library/x/manifests/sha256:0: "
    "429 Too Many Requests - Server message: toomanyrequests: You have reached your "
    "unauthenticated pull rate limit. https://www.docker.com/increase-rate-limit",
    "500": RESOLVE + STATUS + "500 Internal Server Error",
    "502": RESOLVE + STATUS + "502 Bad Gateway",
    "503": RESOLVE + STATUS + "503 Service Unavailable",
    "504": RESOLVE + STATUS + "504 Gateway Timeout",
    "503 of the token": TOKEN + "unexpected status from GET request to "
    "https://auth.example.org/token?scope=repository%3Ax%3Apull: 503 Service Unavailable",
    "timeout of the token": TOKEN + 'Get "https://auth.example.org/token": dial tcp: lookup '
    "auth.example.org: i/o timeout",
    "HTTP/2": PULL.format("Unknown") + "failed to copy: read tcp: stream error: stream ID 7; "
    "INTERNAL_ERROR; received from peer",
    "cut short": PULL.format("FailedPrecondition") + "failed commit on ref "
    '"layer-sha256:0": unexpected commit size 1024, expected 4096: failed precondition',
    "AWS": RESOLVE + "toomanyrequests: Rate exceeded",
    "full disk": PULL.format("Unknown") + "failed to extract layer sha256:0: write /var/lib/x: "
    "no space left on device: unknown",
    "kubelet's limit": "pull QPS exceeded",
    "cri-dockerd": 'Error response from daemon: Get "https://r.example.org/v2/": net/http: request '
    "canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)",
    "CRI-O": 'initializing source docker://r.example.org/x:1: pinging container registry r: Get "'
    'https://r.example.org/v2/": dial tcp: lookup r.example.org: no such host',
    "repository called denied": 'failed to resolve reference "r.example.org/denied/not-found:1": '
    "r.example.org/denied/unauthorized:1: failed to do request: dial tcp: i/o timeout",
}
LASTING = {
    "not found": PULL.format("NotFound") + 'failed to resolve reference "r.example.org/x:1": '
    "r.example.org/x:1: not found",
    "pull access denied": RESOLVE + "pull access denied, repository does not exist or may require "
    "authorization: server message: insufficient_scope: authorization failed",
    "401 of the token": TOKEN + "unexpected status from GET request to "
    "https://auth.example.org/token: 401 Unauthorized",
    "401": RESOLVE + STATUS + "401 Unauthorized",
    "403": RESOLVE + STATUS + "403 Forbidden",
    "404": RESOLVE + STATUS + "404 Not Found",
    "no authorization": RESOLVE + "unexpected status code 403 Forbidden",
    "denied": 'denied: Permission "artifactregistry.repositories.downloadArtifacts" denied on '
    'resource "projects/p/locations/l/repositories/r" (or it may not exist)',
    "ECR": RESOLVE + "pull access denied: no basic auth credentials",
    "no match for platform": PULL.format("NotFound") + "no match for platform in manifest: "
    "not found",
    "invalid reference": PULL.format("InvalidArgument") + "failed to parse image reference "
    '"r.example.org/X:1": invalid reference format: repository name must be lowercase',
    "unknown authority": RESOLVE + ASK + "tls: failed to verify certificate: x509: certificate "
    "signed by unknown authority",
    "expired": RESOLVE + ASK + "x509: certificate has expired or is not yet valid: current time "
    "2026-01-01T00:00:00Z is after 2025-01-01T00:00:00Z",
    "no TLS": RESOLVE + ASK + "http: server gave HTTP response to HTTPS client",
    "CRI-O: manifest unknown": "reading manifest 1 in r.example.org/x: manifest unknown",
    "CRI-O: unauthorized": "reading manifest 1 in r.example.org/x: unauthorized: access to the "
    "requested resource is not authorized",
    "CRI-O: architecture": "choosing image instance: no image found in image index for "
    'architecture "arm64", variant "v8", OS "linux"',
    "cri-dockerd": "Error response from daemon: manifest for r.example.org/x:1 not found: manifest "
    "unknown: manifest unknown",
    "registry called eof": 'failed to resolve reference "eof.example.org/timed-out:1": '
    "eof.example.org/i-o-timeout/503:1: not found",
}


@pytest.mark.parametrize("message", PASSING.values(), ids=PASSING)
def test_a_cause_that_passes_is_waited_for_with_a_word_for_the_user(message: str) -> None:
    for reason, said in (("ErrImagePull", message), ("ImagePullBackOff", back_off(message))):
        pull = judge(reason, said)
        assert pull.outlook is Outlook.PASSES
        assert pull.why


@pytest.mark.parametrize("message", LASTING.values(), ids=LASTING)
def test_a_cause_that_lasts_ends_the_start_at_once_with_a_word_for_the_user(message: str) -> None:
    for reason, said in (("ErrImagePull", message), ("ImagePullBackOff", back_off(message))):
        pull = judge(reason, said)
        assert pull.outlook is Outlook.LASTS
        assert pull.why


def back_off(message: str) -> str:
    return f'Back-off pulling image "r.example.org/x:1": ErrImagePull: {message}'


@pytest.mark.parametrize("said", ["", 'Back-off pulling image "r.example.org/denied:1"'])
def test_without_a_cause_the_next_try_is_waited_for(said: str) -> None:
    assert judge("ImagePullBackOff", said).outlook is Outlook.PASSES


@pytest.mark.parametrize("words", ["invalid tar header", "mkdir /var/lib/x: permission denied"])
def test_an_unknown_cause_has_one_more_try(words: str) -> None:
    said = PULL.format("Unknown") + f"failed to extract layer sha256:0: {words}"
    assert judge("ErrImagePull", said).outlook is Outlook.PASSES
    assert judge("ImagePullBackOff", back_off(said)).outlook is Outlook.UNKNOWN


@pytest.mark.parametrize(
    ("reason", "outlook"),
    [
        ("RegistryUnavailable", Outlook.PASSES),
        ("InvalidImageName", Outlook.LASTS),
        ("ErrImageNeverPull", Outlook.LASTS),
        ("SignatureValidationFailed", Outlook.LASTS),
    ],
)
def test_some_reasons_of_the_kubelet_say_enough(reason: str, outlook: Outlook) -> None:
    assert judge(reason, "words").outlook is outlook
