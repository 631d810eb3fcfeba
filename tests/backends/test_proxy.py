"""The environment's proxy, by the rules of kubectl."""

from __future__ import annotations

import pytest

from mcks.backends.proxy import proxy_for
from mcks.errors import ConfigError

PROXY = "http://proxy.example.test:3128"


@pytest.mark.parametrize(
    ("url", "no_proxy", "used"),
    [
        ("https://api.example.test", "", True),
        ("https://api.example.test", "example.test", False),
        ("https://example.test", ".example.test", True),
        ("https://api.example.test", ".example.test", False),
        ("https://api.example.test", "*.example.test", False),
        ("https://notexample.test", "example.test", True),
        ("https://api.example.test:6443", "example.test:6443", False),
        ("https://api.example.test:6443", "example.test:443", True),
        ("https://10.1.2.3", "10.0.0.0/8", False),
        ("https://10.1.2.3", " 10.1.2.3 ,x", False),
        ("https://11.1.2.3", "10.0.0.0/8", True),
        ("https://[fd00::1]:6443", "fd00::/8", False),
        ("https://api.example.test", "*", False),
        ("https://localhost:6443", "", False),
        ("https://127.0.0.1:6443", "", False),
        ("http://api.example.test", "", False),
    ],
)
def test_no_proxy_is_read_as_go_programs_read_it(url: str, no_proxy: str, used: bool) -> None:
    environ = {"HTTPS_PROXY": PROXY, "NO_PROXY": no_proxy}
    assert proxy_for(url, environ) == (PROXY if used else None)


def test_small_letters_and_missing_schemes_are_fine() -> None:
    environ = {"https_proxy": "proxy.example.test:3128", "no_proxy": "x"}
    assert proxy_for("https://api.example.test", environ) == PROXY


def test_without_a_proxy_there_is_none() -> None:
    assert proxy_for("https://api.example.test", {}) is None


@pytest.mark.parametrize("proxy", ["me:s3cr3t@[::1", "http://me:s3cr3t@proxy:abc", "http://"])
def test_what_is_no_url_is_refused_and_not_shown(proxy: str) -> None:
    with pytest.raises(ConfigError, match="HTTPS_PROXY in the environment must be") as caught:
        proxy_for("https://api.example.org", {"HTTPS_PROXY": proxy})
    assert "s3cr3t" not in str(caught.value)


def test_a_proxy_that_speaks_no_http_is_refused_where_it_would_be_used() -> None:
    environ = {"HTTPS_PROXY": "socks5://me:s3cr3t@proxy.example.org:1080", "NO_PROXY": "in.test"}
    with pytest.raises(ConfigError, match="HTTPS_PROXY in the environment must be") as caught:
        proxy_for("https://api.example.org", environ)
    assert "s3cr3t" not in str(caught.value)
    assert proxy_for("https://in.test", environ) is None
    assert proxy_for("http://api.example.org", environ) is None
