"""What users and administrators are told of a start that failed."""

from __future__ import annotations

import logging
import re
import traceback
from pathlib import Path
from typing import Any

import pytest
from tornado import web

from mcks.core.clusters import pool
from mcks.core.hub import error_pages
from mcks.core.servers import launch
from mcks.core.spawner import MultiClusterKubeSpawner
from mcks.errors import (
    AuthError,
    ConfigError,
    Forbidden,
    MCKSError,
    NotAllowed,
    StartFailed,
    UnknownProfile,
    Unreachable,
)
from tests.core import kubeconfigs
from tests.core.profiles.choosing.common import refusal, spawner_of

REFERENCE = re.compile(r"Reference: ([34679CDFGHJKMNPQRTVWXY]{8})$")
FAILURES = [
    StartFailed("The image was not found.", details="Failed: pull <x>", reason="image"),
    Forbidden("cluster 'a': cannot create Pod: 403", status=403),
    AuthError("cluster 'a': the token was refused"),
    Unreachable("cluster 'a': no answer"),
    ConfigError("c.X is wrong"),
]


@pytest.fixture
def spawner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MultiClusterKubeSpawner:
    monkeypatch.setenv("KUBECONFIG", str(kubeconfigs.write(tmp_path / "kc", "ctx-a", "ctx-b")))
    return spawner_of(listed=[{"display_name": "Small", "cluster": "a"}])


async def failed_start(
    spawner: MultiClusterKubeSpawner, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> Any:
    async def broken(*_: Any) -> None:
        raise error

    monkeypatch.setattr(pool.Pool, "connect", broken)
    monkeypatch.setattr(launch, "stop", broken)
    await spawner.apply_profile({})
    with pytest.raises(Exception, match=r".") as caught:
        await spawner.start()
    return caught.value


@pytest.mark.parametrize("error", FAILURES, ids=lambda e: type(e).__name__)
async def test_the_reference_that_a_user_tells_is_in_one_line_of_the_log_with_the_cause(
    spawner: MultiClusterKubeSpawner,
    error: MCKSError,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    shown = await failed_start(spawner, error, monkeypatch)
    found = REFERENCE.search(shown.jupyterhub_message)
    assert found is not None
    assert f"<code>{found[1]}</code>" in shown.jupyterhub_html_message
    assert shown.jupyterhub_html_message.endswith('<a href="/hub/spawn/ada">Try again</a>')
    (line,) = [r.getMessage() for r in caplog.records if found[1] in r.getMessage()]
    assert line == (f"ada did not start (reference {found[1]}, profile small, cluster a): {error}")


async def test_events_are_logged_once_and_not_shown(
    spawner: MultiClusterKubeSpawner,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    shown = await failed_start(spawner, FAILURES[0], monkeypatch)
    assert caplog.text.count("Failed: pull <x>") == 1
    assert "pull <x>" not in "".join(traceback.format_exception(shown))
    assert shown.jupyterhub_message.startswith("The image was not found. Reference: ")
    assert "pull" not in shown.jupyterhub_html_message


async def test_a_defect_is_a_sentence_for_the_user_and_a_traceback_in_the_log_only(
    spawner: MultiClusterKubeSpawner,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    shown = await failed_start(spawner, ZeroDivisionError("division by zero"), monkeypatch)
    assert isinstance(shown, web.HTTPError)
    assert shown.status_code < 500, "the hub would count it as a failure of its own"
    told = str(getattr(shown, "jupyterhub_message", ""))
    assert told.startswith("Your server could not be started. Please tell")
    found = REFERENCE.search(told)
    assert found is not None
    said = f"{found[1]}, profile small, cluster a): unexpected ZeroDivisionError: division by zero"
    assert said in caplog.text
    assert "Traceback" in caplog.text
    assert "ZeroDivisionError" not in "".join(traceback.format_exception(shown))


@pytest.mark.parametrize("error", [NotAllowed("x"), UnknownProfile("unknown profile 'x'")])
def test_what_a_user_corrects_alone_has_no_reference(error: MCKSError) -> None:
    assert error_pages.reference_for(error) == ""
    shown: Any = error_pages.shown(error)
    assert "Reference" not in shown.jupyterhub_message + shown.jupyterhub_html_message


async def test_a_refused_choice_is_a_warning_without_a_reference(
    spawner: MultiClusterKubeSpawner, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    shown = await refusal(spawner, {"profile": "smal"})
    assert "Reference" not in shown.jupyterhub_message
    (record,) = [r for r in caplog.records if "did not start" in r.getMessage()]
    assert record.levelno == logging.WARNING
    assert "reference" not in record.getMessage()


def test_html_in_a_message_is_escaped() -> None:
    shown: Any = error_pages.shown(ConfigError("<script>"), "CODE")
    assert "<script>" not in shown.jupyterhub_html_message
    assert "<script>" not in error_pages.alert(ConfigError("<script>"), "CODE")


def test_references_differ() -> None:
    made = {error_pages.reference_for(FAILURES[0]) for _ in range(100)}
    assert len(made) == 100
