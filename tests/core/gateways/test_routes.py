"""Public URLs, paths and templates of routes."""

from __future__ import annotations

import pytest

from mcks.core.gateways.routes import check_public_url, same_place, split_proxy_spec, template
from mcks.errors import ConfigError


@pytest.mark.parametrize(
    ("url", "clean"),
    [
        ("http://10.0.0.1", "http://10.0.0.1"),
        ("https://g.example.org/", "https://g.example.org"),
        ("https://g.example.org:8443", "https://g.example.org:8443"),
        ("http://[::1]:80", "http://[::1]:80"),
        ("http://[0:0::1]", "http://[::1]"),
        ("https://G.example.org", "https://g.example.org"),
        ("http://my_gateway:65535", "http://my_gateway:65535"),
        ("https://Bücher.example", "https://xn--bcher-kva.example"),
        ("https://g.example.org\n", "https://g.example.org"),
    ],
)
def test_the_gateways_url_is_reduced_to_what_the_hub_keeps(url: str, clean: str) -> None:
    assert check_public_url(url) == clean


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("https://g.example.org/path", "has a path.*Write https://g.example.org$"),
        ("g.example.org", "is not a URL"),
        ("ftp://g", "is not a URL"),
        ("https://g/?q=1", "has a path"),
        ("https://user:pw@g", "must not hold a user name or password"),
        ("https://user:pw@g:99999", "must not hold a user name or password"),
        ("https://user:pw/x@g", "must not hold a user name or password"),
        ("https://@g", "must not hold a user name or password"),
        ("http://g.example.org:99999", "not a URL.*Port out of range"),
        ("http://g:0", "not a URL.*port"),
        ("http://g:", "not a URL.*port"),
        ("http://g:https", "not a URL.*Port"),
        ("http://g:-1", "not a URL.*Port"),
        ("https://g#top", "has a path.*Write https://g$"),
        ("https://g?", "has a path.*Write https://g$"),
        ("https://g example.org", "not a URL.*space"),
        ("https://g\\example.org", "not a URL.*backslash"),
        ("https://g\x00", "not a URL.*control"),
        ("https://g..example.org", "not a URL.*no host can be called"),
        ("https://-g.example.org", "not a URL.*no host can be called"),
        ("https://g,h.example.org", "not a URL.*no host can be called"),
        ("https://" + "g" * 64, "not a URL.*no host can be called"),
        ("http://10.0.0.300", "not a URL.*300"),
        ("http://[::1", "not a URL"),
        ("http://[g.example.org]", "not a URL"),
        ("http://[::g]", "not a URL"),
        ("http://[fe80::1%25eth0]", "not a URL.*zone"),
        ("https:///", "not a URL"),
        ("", "not a URL"),
    ],
)
def test_a_url_that_cannot_work_is_refused(url: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        check_public_url(url)
    assert "pw" not in str(caught.value).replace("password", "")


def test_a_subdomain_is_split_from_the_path() -> None:
    assert split_proxy_spec("/user/ada/") == ("", "/user/ada/")
    assert split_proxy_spec("ada.example.org/user/ada/") == ("ada.example.org", "/user/ada/")


def test_there_is_a_template_for_each_kind_of_route() -> None:
    assert "kind: Ingress" in str(template("ingress"))
    assert "kind: HTTPRoute" in str(template("httproute"))
    assert template("none") is None
    with pytest.raises(ConfigError, match="Did you mean 'ingress'"):
        template("ingres")


@pytest.mark.parametrize(
    ("url", "other", "same"),
    [
        ("http://g", "http://g:80/user/ada/", True),
        ("https://g.example.org:443", "https://g.example.org/user/ada/", True),
        ("http://[::1]:8000", "http://[::1]:8000/", True),
        ("http://g", "https://g", False),
        ("http://g", "http://g:8080", False),
        ("http://g", "http://h", False),
        ("http://g", "", False),
        ("http://g", "http://g:99999", False),
        ("http://g:99999", "http://g:99999", True),
    ],
)
def test_urls_of_one_place_are_told_from_others(url: str, other: str, same: bool) -> None:
    assert same_place(url, other) is same
