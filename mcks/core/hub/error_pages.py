"""mcks' errors as JupyterHub's: what its pages and API show, with a reference to its log.

What went wrong, and the words for it, do not belong here (errors.py, failures.py).
"""

from __future__ import annotations

import html
import logging
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol
from urllib.parse import quote

from jupyterhub.utils import url_path_join
from tornado import web

from mcks.core.hub import failure_limit
from mcks.core.profiles.profile_list import DATA_OPTION, ELSEWHERE
from mcks.core.servers.starting import Chosen, Hub
from mcks.errors import (
    ChoiceRefused,
    ConfigError,
    DataElsewhere,
    MCKSError,
    NoneWorked,
    NotAllowed,
    Refused,
)

try:
    from jupyterhub.spawner import SpawnException
except ImportError:  # JupyterHub 5
    SpawnException = None

_UNAMBIGUOUS = "34679CDFGHJKMNPQRTVWXY"
"""Neither what is mistaken for one another (0 O, 1 I L, 2 Z, 5 S, 8 B) nor what makes words."""
_LENGTH = 8
_UNEXPECTED = MCKSError.user_message


class User(Protocol):
    """A user of the hub, whose name can stand in a URL."""

    escaped_name: str


class RefusedSpawner(failure_limit.CountedSpawner, Protocol):
    """A spawner, as far as its user and the hub's log hear of it."""

    name: str
    user: User
    hub: Hub
    choosing: Chosen
    log: logging.Logger
    _log_name: str


def reference_for(exc: Exception) -> str:
    """Make a code that the user reads to an administrator, who finds the log's line by it.

    Empty for what the user corrects alone.
    """
    if isinstance(exc, NoneWorked):
        return next(filter(None, (reference_for(failure) for _, failure in exc.tries)), "")
    if isinstance(exc, ChoiceRefused):
        return ""
    return "".join(secrets.choice(_UNAMBIGUOUS) for _ in range(_LENGTH))


def for_user(exc: Exception) -> str:
    """Return the words for the user: never a stack trace, never what is not meant for them.

    A mistake in the configuration is shown whole: its text holds names, never secrets.
    """
    if not isinstance(exc, MCKSError):
        return _UNEXPECTED
    shown = exc.jupyterhub_message
    return f"{shown} ({exc})" if isinstance(exc, ConfigError) else shown


def shown(exc: Exception, reference: str = "", again: str = "") -> Exception:
    """Make the exception whose words JupyterHub shows: those for the user, and the *reference*.

    *again* is the URL at which the user chooses and starts anew: the progress page has no way on.
    The hub does not count it as its own failure, unless *exc* is none of mcks' errors.
    """
    message = _with_reference(for_user(exc), reference)
    error: Any = exc
    if isinstance(exc, MCKSError):
        reason = getattr(exc, "reason", "") or type(exc).__name__
        status = 403 if isinstance(exc, NotAllowed | Refused) else 400
        error = (
            web.HTTPError(status, log_message=message)
            if SpawnException is None
            else SpawnException(message, reason=reason, status_code=status)
        )
        error.headers = {}  # JupyterHub 5.4.0 asks every HTTPError for them
    # the pages read these; without them they would show status and class name as well
    error.jupyterhub_message = message
    error.jupyterhub_html_message = html.escape(for_user(exc)).replace("\n", "<br>")
    if reference:
        error.jupyterhub_html_message += f"<br>Reference: <code>{reference}</code>"
    if again:
        error.jupyterhub_html_message += f'<br><a href="{html.escape(again)}">Try again</a>'
    if again and _may_agree(exc):
        link = f"{again}?{DATA_OPTION}={ELSEWHERE}"
        error.jupyterhub_html_message += f' or <a href="{html.escape(link)}">start without it</a>'
    exception: Exception = error
    return exception


def _may_agree(exc: Exception) -> bool:
    """Whether the start may go on elsewhere if the user says so."""
    failures = [failure for _, failure in exc.tries] if isinstance(exc, NoneWorked) else [exc]
    return any(isinstance(one, DataElsewhere) and one.may_agree for one in failures)


def refused(spawner: RefusedSpawner, exc: Exception, cluster: str = "") -> Exception:
    """Log *exc* whole; return what the spawner's user sees of it, with a reference to the log.

    *cluster* is the one in which the server was about to start.
    """
    reference = reference_for(exc)
    facts = {"reference": reference, "profile": spawner.choosing.profile, "cluster": cluster}
    said = ", ".join(f"{what} {fact}" for what, fact in facts.items() if fact)
    log = spawner.log.error if reference else spawner.log.warning
    log("%s did not start (%s): %s", spawner._log_name, said, str(exc) or type(exc).__name__)
    again = url_path_join(spawner.hub.base_url, "spawn", spawner.user.escaped_name)
    if spawner.name:
        again = url_path_join(again, quote(spawner.name))
    refusal = shown(exc, reference, again)
    _leave_out(spawner, refusal)
    return refusal


@contextmanager
def hook_of(spawner: failure_limit.CountedSpawner) -> Iterator[None]:
    """Run an administrator's function, which may refuse the start by an HTTPError of its own."""
    try:
        yield
    except web.HTTPError as exc:
        _leave_out(spawner, exc)
        raise


@contextmanager
def hook_before(spawner: RefusedSpawner) -> Iterator[None]:
    """Do so before ``start``, where nobody else has words for what the function raises of mcks."""
    try:
        with hook_of(spawner):
            yield
    except MCKSError as exc:
        raise refused(spawner, exc) from None


def is_refusal(exc: Exception) -> bool:
    """Tell whether *exc* is an administrator's own, with words for the user."""
    return isinstance(exc, web.HTTPError)


def _leave_out(spawner: failure_limit.CountedSpawner, exc: Exception) -> None:
    """Let JupyterHub 5 count what JupyterHub 6 counts: a refusal is no failure of the hub."""
    if SpawnException is None and isinstance(exc, web.HTTPError) and exc.status_code < 500:
        failure_limit.leave_out(spawner, exc)


def alert(exc: MCKSError, reference: str = "") -> str:
    """Return HTML that stands in the form's place."""
    message = html.escape(_with_reference(for_user(exc), reference))
    return f'<div class="alert alert-danger" role="alert">{message}</div>'


def _with_reference(message: str, reference: str) -> str:
    return f"{message} Reference: {reference}" if reference else message
