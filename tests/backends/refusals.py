"""What every refused log-in must say, and what it must not show: the tables of all clouds' errors.

How a cloud refuses is in the tests of that cloud.
"""

from __future__ import annotations

import logging
import re
import tempfile
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from mcks.backends.base import Backend
from mcks.errors import MCKSError
from tests.backends.reading import REF, client_of, read_pod
from tests.fakes.loopback import FakeAPIServer, status

_HOW_TO = Path(__file__).parents[2] / "docs" / "how-to"
CANNOT_FIND = "cannot find the cluster"
CANNOT_LOG_IN = "cannot log in"
CANNOT_GET = "cannot get Pod p in namespace ns"


@dataclass
class World:
    """A cloud, a cluster's API server, and the machine on which the hub runs."""

    cloud: Any
    server: FakeAPIServer
    monkeypatch: pytest.MonkeyPatch
    folder: Path
    closed_port: int
    """Nobody listens there."""


def server_answers(code: int, reason: str, message: str) -> Callable[[World], None]:
    """Let the API server refuse, however often it is asked."""

    def arrange(world: World) -> None:
        world.server.answer_next(*(status(code, reason, message) for _ in range(4)))

    return arrange


def away(world: World) -> None:
    """Let nothing of the cloud be reached."""
    world.monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{world.closed_port}")


def _nothing(_: World) -> None:
    pass


@dataclass(frozen=True)
class Case:
    """One error. *step*, *cause* (the cloud's words) and *remedy* stand in its text, in this order.

    *arrange* makes the cloud refuse; *settings* are those of the backend. With *renewal* the
    first log-in is fine, and the error comes when the token is renewed.
    """

    name: str
    error: type[MCKSError]
    step: str
    cause: str
    remedy: str
    arrange: Callable[[World], None] = _nothing
    settings: Mapping[str, Any] = field(default_factory=dict)
    renewal: bool = False

    def __str__(self) -> str:
        return self.name + (", later" if self.renewal else "")

    def later(self) -> Case:
        """Give the same error at a renewal, which finds no cluster: it only logs in."""
        step = self.step.replace(CANNOT_FIND, CANNOT_LOG_IN)
        return replace(self, step=step, renewal=True)


async def meet(case: Case, world: World, backend: Backend) -> MCKSError:
    """Log in as the hub does, and use it; give the error that comes of it."""
    if not case.renewal:
        case.arrange(world)
        try:
            with pytest.raises(MCKSError) as caught:
                await read_pod(backend)
        finally:
            await backend.close()
        return caught.value
    client = await client_of(backend)
    try:
        await client.get(REF)
        case.arrange(world)
        backend.credentials.reject(await backend.credentials.get())
        with pytest.raises(MCKSError) as caught:
            await client.get(REF)
    finally:
        await client.close()
        await backend.close()
    return caught.value


def check_words(case: Case, failure: MCKSError, cluster: str) -> None:
    """The administrator learns where, at which step, why, and what to do."""
    text = str(failure)
    assert isinstance(failure, case.error), repr(failure)
    assert text.startswith(f"cluster {cluster!r}"), text
    assert text.count(f"cluster {cluster!r}") == 1, text
    places = [text.find(part) for part in (case.step, case.cause, case.remedy)]
    assert -1 not in places, text
    assert places == sorted(places), text


def check_page(page: str, cases: Iterable[Case]) -> None:
    """The how-to *page* lists the words of each case, and no words that nobody says."""
    text = (_HOW_TO / page).read_text().partition("## When it does not work")[2]
    listed = re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE)
    told = [f"{case.cause}\n{case.remedy}" for case in cases]
    missing = [words for words in told if not any(entry in words for entry in listed)]
    assert not missing, f"{page} does not tell of {missing}"
    unknown = [entry for entry in listed if not any(entry in words for words in told)]
    assert not unknown, f"{page} tells of {unknown}, which no case meets"


def shown_by(failure: BaseException) -> str:
    """All that a log or a page can print of an error, and of all errors that hang on it."""
    parts: list[str] = []
    seen: set[int] = set()
    waiting: list[BaseException | None] = [failure]
    while waiting:
        exc = waiting.pop()
        if exc is None or id(exc) in seen:
            continue
        seen.add(id(exc))
        parts += [str(exc), repr(exc), repr(vars(exc)), *traceback.format_exception(exc)]
        waiting += [exc.__cause__, exc.__context__, *getattr(exc, "exceptions", ())]
    return "\n".join(parts)


class SecretScan:
    """Looks for secrets in what was logged and shown, and for files that were left."""

    def __init__(self, caplog: pytest.LogCaptureFixture, temporary: Path) -> None:
        self._caplog, self._temporary = caplog, temporary

    def check(self, secrets: Iterable[str], failure: BaseException, *objects: Any) -> None:
        """Fail if one of *secrets* shows. *objects* are looked at by str and repr."""
        shown = self._caplog.text + shown_by(failure)
        shown += "".join(f"{thing!s} {thing!r}" for thing in objects)
        found = [secret for secret in secrets if secret in shown]
        assert not found, f"these show: {found}"
        left = [path for path in self._temporary.rglob("*") if path.is_file()]
        assert not left, f"these were left: {left}"


@pytest.fixture
def secret_scan(
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
) -> SecretScan:
    """From now on everything is logged, that of the SDKs too, and all temporary files are seen."""
    caplog.set_level(logging.DEBUG)
    temporary = tmp_path_factory.mktemp("temporary")
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    return SecretScan(caplog, temporary)
