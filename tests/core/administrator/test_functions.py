"""A function of the administrator that fails is named in one line, wherever it stands."""

from __future__ import annotations

import functools
from typing import Any

import pytest
from tornado import web

from mcks.core.administrator import functions
from mcks.errors import ConfigError, FunctionFailed, NotAllowed


def broken(spawner: Any) -> str:
    return str(spawner["absent"])


async def broken_later(spawner: Any) -> str:
    return broken(spawner)


class Callable:
    def __call__(self, spawner: Any) -> str:
        raise ValueError("two\nlines")


async def test_the_message_names_setting_function_exception_and_line() -> None:
    with pytest.raises(FunctionFailed) as caught:
        await functions.ask(broken, {}, "profile_list")
    assert str(caught.value) == (
        "profile_list: the function broken raised KeyError: 'absent' (test_functions.py, line 16)"
    )


async def test_an_async_function_is_awaited_and_named() -> None:
    assert await functions.ask(lambda value: value, 7, "x") == 7
    with pytest.raises(FunctionFailed, match="the function broken_later raised KeyError"):
        await functions.ask(broken_later, {}, "x")


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (Callable(), "the function Callable raised ValueError: two lines"),
        (functools.partial(broken), "the function partial raised KeyError: 'absent'"),
        (int, "the function int raised TypeError: int() argument"),
    ],
)
def test_what_is_called_without_being_a_plain_function_is_named(function: Any, words: str) -> None:
    with pytest.raises(FunctionFailed) as caught:
        functions.ask_now(function, {}, "x")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_async_function_where_nobody_awaits_is_refused() -> None:
    with pytest.raises(ConfigError, match="x: the function broken_later is async"):
        functions.ask_now(broken_later, {}, "x")


@pytest.mark.parametrize("refusal", [web.HTTPError(403, "no quota"), NotAllowed("no")])
def test_a_refusal_in_the_functions_own_words_stays_what_it_is(refusal: Exception) -> None:
    def refuse(_: Any) -> str:
        raise refusal

    with pytest.raises(type(refusal)) as caught:
        functions.ask_now(refuse, {}, "x")
    assert caught.value is refusal


@pytest.mark.parametrize(
    ("answer", "sentence"), [(None, ""), ("", ""), (" 3\n GPUs ", "3 GPUs"), ("x" * 999, "x" * 300)]
)
def test_a_sentence_for_users_is_one_line(answer: Any, sentence: str) -> None:
    assert functions.sentence(answer, "x", broken) == sentence


def test_what_is_no_text_is_no_sentence_and_is_not_repeated() -> None:
    with pytest.raises(ConfigError) as caught:
        functions.sentence({"token": "s3cret"}, "quota", broken)
    assert str(caught.value) == (
        "quota: the function broken gives dict: it must give a text for users, or None"
    )


def test_functions_among_values_know_their_keys() -> None:
    named = functions.with_names("environment", {"A": broken, "B": "text"})
    assert named["B"] == "text"
    with pytest.raises(FunctionFailed, match=r"^environment\['A'\]: the function broken raised"):
        named["A"]({})


def test_a_sentence_is_one_line_that_a_page_can_hold() -> None:
    said = functions.sentence("3 GPUs\n\tfree \ud800 <b>" + "x" * 1_000_000, "capacity", print)
    assert said.startswith("3 GPUs free ? <b>x")
    assert len(said) == 300
