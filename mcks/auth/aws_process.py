"""The program that an AWS profile names to get keys (``credential_process``), with a deadline.

botocore waits for it without end, and so would the thread. Log-in programs of kubeconfig files do
not belong here.
"""

from __future__ import annotations

import contextlib
import subprocess
from typing import Any

from mcks.auth.program import end_session

_DEADLINE = 30.0
_REAPED_AFTER = 5.0


class InTime(subprocess.Popen[bytes]):
    """A process as botocore starts it, which ends in time, with all that it has started."""

    def __init__(self, command: list[str], **settings: Any) -> None:
        super().__init__(command, stdin=subprocess.DEVNULL, start_new_session=True, **settings)

    def communicate(self, *_: object, **__: object) -> tuple[bytes, bytes]:
        """Give what it printed. Raises botocore's error if it is not done in time."""
        try:
            return super().communicate(timeout=_DEADLINE)
        except subprocess.TimeoutExpired:
            self._kill_all()
        raise _not_done()

    def _kill_all(self) -> None:
        end_session(self.pid)
        for pipe in (self.stdout, self.stderr):
            if pipe is not None:
                pipe.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(_REAPED_AFTER)


def _not_done() -> Any:
    from botocore.exceptions import CredentialRetrievalError  # noqa: PLC0415 - slow, optional

    words = f"credential_process is not done in {_DEADLINE:.0f} seconds, so it was killed"
    return CredentialRetrievalError(provider="custom-process", error_msg=words)


def run_in_time(resolver: Any) -> None:
    """Let botocore's *resolver* start such programs so, those of source profiles included."""
    resolver.get_provider("custom-process")._popen = InTime
    builder = resolver.get_provider("assume-role")._profile_provider_builder
    make = builder._create_process_provider

    def make_in_time(profile_name: str) -> Any:
        provider = make(profile_name)
        provider._popen = InTime
        return provider

    builder._create_process_provider = make_in_time
