"""Which clusters take no new servers: by command, by a setting, by a function that is asked."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

import pytest
from tornado import web

from mcks.core.placement import drains
from mcks.core.placement.drains import Drain, Drains, as_text, begun, parse, said_by, sentence
from mcks.errors import ConfigError, FunctionFailed

LOG = logging.getLogger("test")
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("", "its cluster takes no new servers."),
        ("An upgrade", "its cluster takes no new servers. An upgrade."),
        ("Back at noon!", "its cluster takes no new servers. Back at noon!"),
        ("Two\nlines\x1b[31m", "its cluster takes no new servers. Two lines[31m."),
    ],
)
def test_users_read_one_line_with_the_reason_behind_it(reason: str, words: str) -> None:
    assert sentence(Drain(reason)) == words


def test_a_drain_knows_when_it_began_and_has_a_short_reason() -> None:
    assert begun("An upgrade", NOON) == Drain("An upgrade", "2026-03-01T12:00:00Z")
    with pytest.raises(ConfigError, match="at most 300 characters, and this one 301"):
        begun("x" * 301)


def test_what_is_written_is_read_again() -> None:
    drained = {"b": Drain("An upgrade", "2026-03-01T12:00:00Z"), "context:a": Drain()}
    assert parse(as_text(drained)) == drained


def test_what_a_later_release_adds_does_no_harm() -> None:
    text = '{"drained": {"a": {"reason": "x", "more": [1]}}, "version": 2}'
    assert parse(text) == {"a": Drain("x")}


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", "it is not JSON"),
        ('{"drained": {', "it is not JSON"),
        ("[]", r'it must be \{"drained"'),
        ('{"drained": ["a"]}', r'it must be \{"drained"'),
        ("{}", r'it must be \{"drained"'),
        ('{"drained": {"a": true}}', r"drained\['a'\] must be an object"),
        ('{"drained": {"a": {"reason": 1}}}', r"drained\['a'\]\.reason must be a text"),
    ],
)
def test_a_file_that_says_something_else_is_refused(text: str, wrong: str) -> None:
    with pytest.raises(ConfigError, match=wrong):
        parse(text)


@pytest.mark.parametrize(
    ("setting", "drain"),
    [
        (True, Drain()),
        ("An upgrade", Drain("An upgrade")),
        (False, None),
        ("", None),
        (lambda name: name == "a", Drain()),
        (lambda name: f"{name} is old", Drain("a is old")),
        (lambda _: None, None),
    ],
)
def test_a_setting_says_whether_or_why(setting: Any, drain: Drain | None) -> None:
    assert said_by("a", setting) == drain


async def _later(_: str) -> bool:
    return True


def test_what_is_no_answer_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"clusters\['a'\]\.drain must say .* not int"):
        said_by("a", lambda _: 1)
    with pytest.raises(ConfigError, match=r"clusters\['a'\]\.drain: .* is async"):
        said_by("a", _later)
    with pytest.raises(FunctionFailed, match=r"clusters\['a'\]\.drain: .*ZeroDivisionError"):
        said_by("a", lambda _: 1 / 0)


def test_the_command_and_the_setting_hold_beside_each_other() -> None:
    commanded = {"a": Drain("by command")}
    found = Drains(lambda: commanded, LOG)
    assert found.of("a", False) == found.of("a", "by setting") == Drain("by command")
    assert found.of("b", "by setting") == Drain("by setting")
    assert found.of("b", False) is None
    commanded.clear()
    assert found.of("a", False) is None
    assert found.of("a", "by setting") == Drain("by setting")


def test_a_function_is_asked_again_but_once_a_second_for_each_cluster() -> None:
    now, asked = 100.0, []

    def drain(name: str) -> bool:
        asked.append(name)
        return len(asked) > 2

    found = Drains(dict, LOG, lambda: now)
    assert [found.of(name, drain) for name in "abab"] == [None] * 4
    now += drains.PAUSE
    assert found.of("a", drain) == Drain()
    assert asked == ["a", "b", "a"]


@pytest.mark.parametrize("failure", [OSError("gone"), web.HTTPError(503)])
def test_a_function_that_fails_has_said_what_it_said_before_and_the_log_says_so_once(
    failure: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    now, answer = 0.0, "An upgrade"

    def drain(_: str) -> str:
        if not answer:
            raise failure
        return answer

    found = Drains(dict, LOG, lambda: now)
    assert found.of("a", drain) == Drain("An upgrade")
    answer = ""
    for _ in range(3):
        now += drains.PAUSE
        assert found.of("a", drain) == Drain("An upgrade")
    (record,) = caplog.records
    assert "what it said before holds" in record.getMessage()
    answer = "Another"
    now += drains.PAUSE
    assert found.of("a", drain) == Drain("Another")


def test_a_long_reason_in_a_file_is_cut_where_users_read_it() -> None:
    told = drains.sentence(Drain("x" * 1_000_000))
    assert told == f"its cluster takes no new servers. {'x' * drains.LONGEST}…."


def test_a_file_that_is_nested_without_end_is_refused() -> None:
    with pytest.raises(ConfigError, match="it is not JSON"):
        drains.parse("[" * 100_000)
