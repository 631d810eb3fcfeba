"""No URL of a server shows a password, and each is in ASCII."""

from __future__ import annotations

import pytest

from mcks.backends.base import Endpoint
from mcks.backends.server_url import read
from mcks.errors import ConfigError


@pytest.mark.parametrize(
    "server",
    [
        "https://api.example.org",
        "https://api.example.org:443",
        "https://API.example.org:6443/",
        "https://[::1]:6443",
        "https://rancher.example.org/k8s/clusters/c%2Fx/",
        "http://127.0.0.1:8001",
    ],
)
def test_what_is_in_order_stays_as_it_is(server: str) -> None:
    assert read(server) == (server, None)


@pytest.mark.parametrize(
    ("server", "written"),
    [
        ("https://bücher.example:6443/k8s/c%2F1", "https://xn--bcher-kva.example:6443/k8s/c%2F1"),
        ("https://straße.example", "https://xn--strae-oqa.example"),
        ("https://api.example.org/büro eins", "https://api.example.org/b%C3%BCro%20eins"),
    ],
)
def test_a_name_or_path_in_unicode_is_written_as_in_http(server: str, written: str) -> None:
    assert read(server) == (written, None)


@pytest.mark.parametrize(
    ("server", "header"),
    [
        ("https://ada:p%40%C3%BC@api.example.org:6443/k8s", "Basic YWRhOnBAw7w="),
        ("https://ada@api.example.org:6443/k8s", "Basic YWRhOg=="),
        ("https://:p@api.example.org:6443/k8s", "Basic OnA="),
    ],
)
def test_a_user_and_password_become_a_header(server: str, header: str) -> None:
    assert read(server) == ("https://api.example.org:6443/k8s", header)


@pytest.mark.parametrize(
    "server",
    [
        "",
        "api.example.org",
        "https://",
        "https:///k8s",
        "https://ada:passw0rd@[::1",
        "https://ada:passw0rd@api.example.org:abc",
        "https://ada:passw0rd@api.example.org:99999",
        "https://api.example.org/k8s?cluster=x",
        "https://api.example.org/#x",
    ],
)
def test_what_is_no_url_of_a_host_is_told_and_no_password_with_it(server: str) -> None:
    with pytest.raises(ConfigError, match="server must be a URL of a host") as failure:
        Endpoint(server)
    assert "passw0rd" not in str(failure.value)


def test_an_endpoint_shows_no_password_and_has_one_log_in() -> None:
    endpoint = Endpoint("https://ada:passw0rd@api.example.org", headers=(("X-Team", "blue"),))
    assert "passw0rd" not in repr(endpoint)
    assert endpoint.headers == (("X-Team", "blue"), ("Authorization", "Basic YWRhOnBhc3N3MHJk"))
    given = (("authorization", "Basic eDp5"),)
    assert Endpoint("https://ada:passw0rd@api.example.org", headers=given).headers == given
