"""Hostile names and values through form and API: no injection, and nothing but refusals or text."""

from __future__ import annotations

import asyncio
import json
import random
import re
from html.parser import HTMLParser
from types import SimpleNamespace
from typing import Any

import pytest
from traitlets.config import Config

from mcks.core.checking.sample import sample_spawner
from mcks.core.clusters.pool import Pool
from mcks.core.names import is_dns_label
from mcks.core.servers import plan
from mcks.core.spawner import MultiClusterKubeSpawner
from mcks.errors import UnknownProfile

pytestmark = pytest.mark.slow

_PIECES = (
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "' onmouseover='alert(1)",
    "</textarea></select></fieldset></form>", "<!--", "]]>", "&lt;b&gt;", "&#x3c;",
    "javascript:x()", "{{ 7*7 }}", "{% raw %}", "{{ spawner.api_token }}", "{# x #}", "{value}",
    "{value.__class__}", "%s%n%(x)s", "{}", "${X:-y}", "$(id)", "`id`", "; rm -rf /", "|| true",
    "\\", "\\x00", "..", "/", "../../etc/passwd", "a: b", "- x", "*anchor", "&anchor",
    "!!python/object:x", "|\n  x: y", "---", "\n", "\r\nSet-Cookie: a=b", "\t", "\0", "\x1b[31m",
    "\u202eevil\u202c", "\u200f", "\ufeff", "🐍" * 3, "日本語", "ß", "\u0131", "\ud800",
    "e\u0301", "a" * 10_000, " ", "null", "true", "0x10", "1e3", "~", "--unlisted-choice",
    "profile-option-p--image", "unlisted-choice", "__proto__",
)  # fmt: skip
_VALUES: list[Any] = [7, 0, -1, 1e308, True, False, None, [], ["p"], {}, {"a": 1}, [[]], [None]]


def texts(number: int = 300) -> list[str]:
    """Return *number* different texts, the same ones in each run."""
    chance = random.Random(7)  # (not for secrets)
    found = list(_PIECES)
    while len(found) < number:
        text = "".join(chance.choices(_PIECES, k=chance.randint(2, 4)))
        found += [] if text in found else [text]
    return found[:number]


def is_text(text: str) -> bool:
    return "\0" not in text and not any("\ud800" <= c <= "\udfff" for c in text)


TEXTS = texts()
PATCH = """
kind: Pod
metadata: {name: "{{key}}", annotations: {example.org/image: "{{ options.image }}"}}
"""


def spawner_of(listed: Any, username: str = "ada", **settings: Any) -> MultiClusterKubeSpawner:
    config = Config()
    config.MultiClusterKubeSpawner.profile_list = listed
    config.MultiClusterKubeSpawner.update(settings)
    return sample_spawner(config, username)


def listed_of(name: str = "P") -> list[dict[str, Any]]:
    own = {"enabled": True, "spawner_override": {"image": "{value}", "args": ["{value}"]}}
    image = {"choices": {"c": {}}, "unlisted_choice": own}
    return [{"display_name": name, "slug": "p", "profile_options": {"image": image}}]


class Skeleton(HTMLParser):
    """Tags and the names of their attributes, without any value."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, tuple[str, ...]]] = []
        self.values: list[str | None] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(sorted(name for name, _ in attrs))))
        self.values += [value for _, value in attrs]


def page(spawner: MultiClusterKubeSpawner) -> str:
    return str(asyncio.run(spawner.get_options_form()))


def test_there_are_300_texts_with_each_kind_of_trick() -> None:
    assert len(set(TEXTS)) == 300


@pytest.mark.parametrize("part", range(10))
def test_a_value_that_was_written_changes_no_tag_of_the_page(part: int) -> None:
    plain = spawner_of(listed_of())
    plain.user_options = {"image--unlisted-choice": "plain"}
    expected = Skeleton(page(plain)).tags
    chosen, gone = spawner_of(listed_of()), spawner_of(listed_of())
    chosen.user_options, gone.user_options = {"image": "c"}, {"image": "gone"}
    shut, told = Skeleton(page(chosen)).tags, Skeleton(page(gone)).tags
    assert [tag for tag in told if tag not in shut] == [("p", ("class", "role"))]
    for text in TEXTS[part::10]:
        spawner = spawner_of(listed_of())
        spawner.user_options = {"image--unlisted-choice": text, "profile": "p"}
        skeleton = Skeleton(page(spawner))
        valid = is_text(text) and len(text) <= 4096
        written = valid and text != "c"
        assert skeleton.tags == (expected if written else shut if valid else told), ascii(text)
        if written:
            # as a browser does, the parser reads a carriage return as it is written
            assert text in skeleton.values, text


@pytest.mark.parametrize("part", range(10))
def test_display_names_change_no_tag_of_the_page(part: int) -> None:
    expected = Skeleton(page(spawner_of(listed_of()))).tags
    for text in filter(is_text, TEXTS[part::10]):
        assert Skeleton(page(spawner_of(listed_of(text)))).tags == expected, text


@pytest.mark.parametrize("part", range(10))
def test_what_the_api_posts_is_taken_as_text_or_refused(part: int) -> None:
    for text in TEXTS[part::10]:
        spawner = spawner_of(listed_of())
        posted = json.loads(json.dumps({"profile": "p", "image--unlisted-choice": text}))
        try:
            asyncio.run(spawner.apply_profile(posted))
        except UnknownProfile as exc:
            assert not is_text(text) or len(text) > 4096
            exc.jupyterhub_message.encode()
        else:
            assert spawner.image == text
            assert spawner.args == [text]


@pytest.mark.parametrize("field", ["profile", "image", "image--unlisted-choice"])
@pytest.mark.parametrize("value", [*_VALUES, *TEXTS[::20]])
def test_nothing_that_json_can_say_is_more_than_a_refusal(field: str, value: Any) -> None:
    spawner = spawner_of(listed_of())
    try:
        asyncio.run(spawner.apply_profile({"profile": "p", field: value}))
    except UnknownProfile as exc:
        message = exc.jupyterhub_message
        message.encode()
        assert len(message) < 1000
        assert not re.search("[\0\n\r\x1b]", message)


@pytest.mark.parametrize("part", range(5))
def test_forms_with_hostile_names_and_values_are_read(part: int) -> None:
    for text in TEXTS[part::5]:
        spawner = spawner_of(listed_of())
        form = {
            "profile": ["p"],
            text: [text],
            f"profile-option-p--{text}": [text],
            f"profile-option-{text}--image": ["c"],
        }
        options = spawner.run_options_from_form(form)
        assert options["profile"] == "p"
        assert all(isinstance(value, str) for value in options.values())


def objects_with(text: str) -> dict[str, Any]:
    """Return the objects, by kind, of a server whose user wrote *text*."""
    clusters = {"c": {"context": "x", "ingress_public_url": "http://192.0.2.1"}}
    spawner = spawner_of(listed_of(), clusters=clusters, patches={"1": PATCH})
    asyncio.run(spawner.apply_profile({"image--unlisted-choice": text}))
    planned = plan.make(spawner, spawner.configured(Pool(spawner.config, spawner.log)))
    return {manifest["kind"]: manifest for manifest in planned.objects}


@pytest.mark.parametrize("part", range(10))
def test_a_value_changes_no_object_of_the_server_but_its_own_texts(part: int) -> None:
    expected = objects_with("plain")
    environment = expected.pop("Secret")["stringData"]
    expected.pop("Pod")
    for text in filter(is_text, TEXTS[part::10]):
        if len(text) > 4096:
            continue
        objects = objects_with(text)
        pod, secret = objects.pop("Pod"), objects.pop("Secret")
        assert objects == expected, text
        assert secret["stringData"].keys() == environment.keys()
        assert pod["metadata"]["annotations"]["example.org/image"] == text
        (container,) = pod["spec"]["containers"]
        assert container["image"] == text


def test_names_of_users_and_servers_stay_valid_and_distinct() -> None:
    clusters = {"c": {"context": "x", "ingress_public_url": "http://192.0.2.1"}}
    keys = set()
    names = [text for text in TEXTS if is_text(text)]
    for name in names:
        spawner = spawner_of([], name, clusters=clusters)
        spawner.orm_spawner = SimpleNamespace(name=name, server=None, state={})
        key = plan.key_of(spawner, spawner.translation())
        assert is_dns_label(key), name
        keys.add(key)
    assert len(keys) == len(names)
