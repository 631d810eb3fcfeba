"""Where the errors of cloud SDKs end: ours say what they mean, and hold nothing that they quote.

What an error of one cloud means does not belong here.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from mcks.errors import AuthError, MCKSError, Unreachable

_T = TypeVar("_T")


def translated(work: Callable[[], _T], told: Callable[[Exception], MCKSError]) -> _T:
    """Do *work*; an error of an SDK becomes what *told* makes of it.

    The SDK's own does not hang on ours, neither as cause nor as context: it holds the cloud's
    whole answer, or the request that was signed, and a traceback in the log would print that.
    """
    try:
        return work()
    except MCKSError:
        raise
    except Exception as exc:
        failure = told(exc)
    raise failure


def fault(where: str, sdk: str, exc: Exception) -> AuthError:
    """Make the error for a fault of the SDK itself. Its text could hold anything; its place not."""
    last = traceback.extract_tb(exc.__traceback__)[-1:]
    place = "".join(f" in {Path(frame.filename).name}, line {frame.lineno}" for frame in last)
    return AuthError(
        f"{where}: {sdk} failed: {type(exc).__name__}{place}. Look whether another release of "
        f"{sdk} does better"
    )


NOT_NOW = Unreachable.user_message
"""What a user is told when a cloud was asked too often: that the hub's log-in is right."""


def throttled(cloud: str) -> str:
    """Say what to do when *cloud* was asked too often."""
    return (
        f"{cloud} limits how often it is asked. The hub waits and asks again by itself; look for "
        "what else uses the same identity, or have the limit raised"
    )
