"""Clusters that a function names: the last good answer counts, and each mistake is told once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from tornado import web

from mcks.core.administrator.inventory import Inventory, ever
from mcks.errors import ConfigError, StartFailed

A, B = {"context": "a"}, {"context": "b"}


class Source:
    """A function whose answer may be changed; what is raisable is raised."""

    def __init__(self, answer: Any) -> None:
        self.answer, self.calls = answer, 0

    def __call__(self) -> Any:
        self.calls += 1
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer() if callable(self.answer) else self.answer


def refuse(name: str, settings: Mapping[str, Any]) -> None:
    """Check as a hub does, as far as it matters here."""
    if unknown := settings.keys() - {"context", "allow"}:
        raise ConfigError(f"clusters[{name!r}]: unknown key {min(unknown)!r}")


def inventory_of(answer: Any) -> tuple[Inventory, Source]:
    source = Source(answer)
    inventory = Inventory(source)
    inventory.follow(logging.getLogger("test"), refuse, lambda *_: None)
    return inventory, source


async def asynchronously() -> dict[str, Any]:
    await asyncio.sleep(0)
    return {"a": A}


@pytest.mark.parametrize("function", [lambda: {"a": A}, asynchronously, Source({"a": A})])
async def test_a_function_of_any_kind_names_clusters(function: Callable[[], Any]) -> None:
    inventory = Inventory(function)
    assert dict(inventory) == {}
    await inventory.ready()
    assert dict(inventory) == {"a": A}


async def hanging() -> dict[str, Any]:
    await asyncio.Event().wait()
    return {}


def nobody() -> Any:
    raise LookupError("no such list")


BAD: list[tuple[Any, str]] = [
    (nobody, "Source raised LookupError: no such list"),
    (web.HTTPError(503, "not now"), "not now"),
    (ConfigError("the list is locked"), "the list is locked"),
    (hanging, "has not answered within 0.01 seconds"),
    (None, "gives NoneType: it must give a dict of clusters"),
    ([A], "gives list: it must give a dict of clusters"),
    ("a", "gives str: it must give a dict of clusters"),
]


@pytest.mark.parametrize(("bad", "told"), BAD)
async def test_a_bad_answer_keeps_the_last_good_one_and_is_told_once(
    bad: Any, told: str, caplog: pytest.LogCaptureFixture
) -> None:
    inventory, source = inventory_of({"a": A})
    await inventory.ready()
    inventory.deadline, source.answer = 0.01, bad
    caplog.clear()
    for _ in range(3):
        await inventory.read()
    (record,) = caplog.records
    assert told in record.message
    assert record.levelname == "ERROR"
    assert dict(inventory) == {"a": A}
    source.answer = {"b": B}
    await inventory.read()
    assert dict(inventory) == {"b": B}


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ({"context": "a", "contxt": "x"}, "clusters['a']: unknown key 'contxt'"),
        ("ctx-a", "clusters['a'] must be a dict, not str"),
        (None, "clusters['a'] must be a dict, not NoneType"),
    ],
)
async def test_a_bad_entry_keeps_its_cluster_as_it_was_and_the_others_count(
    entry: Any, told: str, caplog: pytest.LogCaptureFixture
) -> None:
    inventory, source = inventory_of({"a": A})
    await inventory.ready()
    source.answer = {"a": entry, "b": B}
    for _ in range(2):
        await inventory.read()
    assert dict(inventory) == {"a": A, "b": B}
    assert caplog.text.count(f"{told}; it stays what it was") == 1


async def test_a_bad_entry_that_was_never_good_is_left_out(
    caplog: pytest.LogCaptureFixture,
) -> None:
    inventory, _ = inventory_of({"a": {"contxt": "x"}, 3: A, "b": B})
    await inventory.ready()
    assert dict(inventory) == {"b": B}
    assert "clusters['a']: unknown key 'contxt'; it is left out" in caplog.text
    assert "clusters: the name 3 is not a string; it is left out" in caplog.text


async def test_all_who_need_the_first_answer_wait_for_one_call() -> None:
    asked = asyncio.Event()

    async def answer() -> dict[str, Any]:
        await asked.wait()
        return {"a": A}

    inventory, source = inventory_of(answer)
    waiting = [asyncio.create_task(inventory.ready()) for _ in range(5)]
    await asyncio.sleep(0)
    waiting[0].cancel()  # one who gives up does not end it for the others
    asked.set()
    await asyncio.gather(*waiting[1:])
    assert source.calls == 1
    assert dict(inventory) == {"a": A}


async def test_without_a_first_answer_it_is_said_why_until_there_is_one() -> None:
    inventory, source = inventory_of(LookupError("no such list"))
    with pytest.raises(StartFailed, match=r"not know its clusters.*no such list"):
        await inventory.ready()
    source.answer = {}
    await inventory.ready()
    assert dict(inventory) == {}


async def test_a_cluster_that_is_named_no_more_is_remembered_for_its_servers(
    caplog: pytest.LogCaptureFixture,
) -> None:
    inventory, source = inventory_of({"a": A, "b": B})
    await inventory.ready()
    remembered = ever(inventory)
    source.answer = {"b": {"context": "b2"}}
    await inventory.read()
    assert list(inventory) == ["b"]
    assert dict(remembered) == {"a": A, "b": {"context": "b2"}}
    assert len(remembered) == 2
    assert "named no more take no new servers: a" in caplog.text
    plain = {"a": A}
    assert ever(plain) is plain


async def test_whoever_follows_hears_of_settings_that_are_others_now() -> None:
    heard: list[tuple[str, Any]] = []
    inventory, source = inventory_of({"a": A, "b": B})
    inventory.follow(
        logging.getLogger("test"), refuse, lambda name, before: heard.append((name, before))
    )
    await inventory.ready()
    assert heard == [("a", None), ("b", None)]
    heard.clear()
    for answer in ({"a": dict(A), "b": {"context": "b2"}}, {"a": A}, {"a": A, "b": B}):
        source.answer = answer
        await inventory.read()
    assert heard == [("b", B), ("b", {"context": "b2"})]


async def test_it_is_read_again_and_again_until_that_is_cancelled() -> None:
    inventory, source = inventory_of({"a": A})
    keeping = asyncio.create_task(inventory.keep(0.001))
    async with asyncio.timeout(20):
        while source.calls < 3:
            await asyncio.sleep(0.001)
        source.answer = hanging
        calls = source.calls
        while source.calls == calls:
            await asyncio.sleep(0.001)
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)
    others = asyncio.all_tasks() - {asyncio.current_task()}
    await asyncio.gather(*others, return_exceptions=True)
    assert dict(inventory) == {"a": A}


async def test_nothing_of_the_settings_is_in_what_is_shown_of_it() -> None:
    inventory, _ = inventory_of({"a": {"context": "secret"}})
    assert repr(inventory) == "Inventory(no clusters)"
    await inventory.ready()
    assert repr(inventory) == "Inventory('a')"


async def test_an_entry_that_the_check_does_not_survive_is_no_end_of_reading(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def stumble(name: str, settings: Mapping[str, Any]) -> None:
        if "backend" in settings:
            raise TypeError("unhashable type: 'list'")

    source = Source({"a": A, "b": {"backend": ["x"]}})
    inventory = Inventory(source)
    inventory.follow(logging.getLogger("test"), stumble, lambda *_: None)
    await inventory.read()
    assert dict(inventory) == {"a": A}
    assert "clusters['b']: TypeError: unhashable type: 'list'; it is left out" in caplog.text


async def test_who_follows_and_fails_is_no_end_of_reading(caplog: pytest.LogCaptureFixture) -> None:
    heard = asyncio.Event()

    def stumble(name: str, _: object) -> None:
        if name == "b":
            heard.set()
        raise ValueError(name)

    inventory, source = Inventory(Source({"a": A})), Source({"b": B})
    inventory.follow(logging.getLogger("test"), refuse, stumble)
    keeping = asyncio.create_task(inventory.keep(0.001))
    while "could not be read" not in caplog.text:
        await asyncio.sleep(0)
    inventory.function = source
    async with asyncio.timeout(10):
        await heard.wait()
    keeping.cancel()
    await asyncio.wait({keeping})
