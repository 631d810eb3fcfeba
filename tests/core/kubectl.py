"""A plain kubectl as referee: where it comes from and how it is asked.

MCKS_TEST_KUBECTL names another one than that of the local clusters. A vendor's dispatcher is
refused: it asks a cluster for its version first, also for --local.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.cluster.fixtures import cannot_run
from tests.cluster.kube_binary import kube_binaries
from tests.cluster.machine import CannotRunHere


class Answer(NamedTuple):
    """What kubectl printed: the objects, or its error."""

    objects: list[dict[str, Any]]
    error: str


class Kubectl:
    """Runs kubectl without any cluster; in one process for all questions, where there is that."""

    def __init__(self, executable: Path, many: Path | None = None) -> None:
        self.executable = executable
        self._environment = {"HOME": "/nonexistent", "KUBECONFIG": "/dev/null"}
        self._many = many and self._started(many)
        version = json.loads(self._run("version", "--client", "--output=json").stdout)
        self.version: str = version["clientVersion"]["gitVersion"]
        if "dispatcher" in self.version:
            raise ValueError(f"{executable} is a dispatcher ({self.version}), no plain kubectl")
        self.minor = int(self.version.split(".")[1])

    def patch(self, original: Any, patch: Any, patch_type: str = "strategic") -> Answer:
        """Patch *original* locally."""
        return self._local(json.dumps(original), json.dumps(patch), patch_type)

    def read(self, text: str) -> Answer:
        """Read the objects of a YAML text."""
        return self._local(text, "{}", "merge")

    def _local(self, text: str, patch: str, patch_type: str) -> Answer:
        arguments = ["patch", "--local", f"--type={patch_type}", f"--patch={patch}"]
        done = self._run(*arguments, "--filename=-", "--output=json", text=text)
        if done.returncode:
            return Answer([], done.stderr or f"exit {done.returncode}")
        return Answer(json_stream(done.stdout), "")

    def close(self) -> None:
        """End the process, if there is one."""
        if self._many:
            self._many.communicate()

    def _started(self, many: Path) -> subprocess.Popen[str]:
        pipe = subprocess.PIPE
        return subprocess.Popen([many], stdin=pipe, stdout=pipe, env=self._environment, text=True)

    def _run(self, *arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
        if self._many:
            return self._ask(self._many, arguments, text)
        return subprocess.run(
            [self.executable, *arguments],
            input=text,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    @staticmethod
    def _ask(
        many: subprocess.Popen[str], arguments: Sequence[str], text: str
    ) -> subprocess.CompletedProcess[str]:
        """One line there, and one back (kube/kubectl_many.go)."""
        assert many.stdin is not None
        assert many.stdout is not None
        many.stdin.write(json.dumps({"arguments": arguments, "input": text}) + "\n")
        many.stdin.flush()
        told = json.loads(many.stdout.readline())
        return subprocess.CompletedProcess(arguments, told["code"], told["output"], told["error"])


def plain_kubectl(*, in_one_process: bool = False) -> Kubectl:
    """Return the chosen kubectl, or that of the local clusters, built if need be.

    Only the latter can answer *in_one_process*. Raises CannotRunHere.
    """
    if chosen := os.environ.get("MCKS_TEST_KUBECTL"):
        return Kubectl(Path(chosen))
    binaries = kube_binaries()
    return Kubectl(binaries / "kubectl", binaries / "kubectl-many" if in_one_process else None)


@pytest.fixture(scope="session")
def kubectl() -> Iterator[Kubectl]:
    """The referee."""
    try:
        referee = plain_kubectl(in_one_process=True)
    except CannotRunHere as error:
        cannot_run(str(error))
    yield referee
    referee.close()


def json_stream(text: str) -> list[dict[str, Any]]:
    """Read JSON objects that follow each other without a separator."""
    decoder = json.JSONDecoder(parse_int=_number)
    found, position = [], 0
    while position < len(text):
        value, end = decoder.raw_decode(text, position)
        found.append(value)
        position = end + len(text[end:]) - len(text[end:].lstrip())
    return found


def _number(digits: str) -> float:
    """Go prints large floats without a point: beyond 64 bits it can be no integer."""
    value = int(digits)
    return value if -(2**63) <= value < 2**63 else float(value)


def same(left: Any, right: Any) -> bool:
    """Compare JSON values exactly: 1, 1.0 and true are different."""
    return json.dumps(left, sort_keys=True) == json.dumps(right, sort_keys=True)
