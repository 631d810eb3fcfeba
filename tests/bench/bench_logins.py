"""What logging in costs a hub: mints, a blocked event loop, imports. Run it with ``python -m``.

- Mints per hour for 50 clusters of each cloud: the real backends and caches on simulated clocks.
- The longest block of the event loop while the first cluster of a process is connected: the real
  SDKs, and the clouds on loopback in another process.
- What the spawner's import adds to JupyterHub's, beside KubeSpawner's.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from mcks.auth.credential import Credential, CredentialCache
from mcks.auth.shared import SharedCredentials, SharedLogin
from mcks.backends.base import Backend
from mcks.backends.registry import backend_class
from tests.fakes import cloud_logins
from tests.fakes.cloud_environment import clean_environment
from tests.fakes.cloud_logins import LogIn, Place
from tests.fakes.loopback import FakeAPIServer

CLUSTERS = 50
BLOCK_BAR_MS = 50.0
_STEP = 20.0
_HOUR = 3600.0
_SDKS = ("azure", "boto3", "botocore", "google", "kubernetes", "kubernetes_asyncio")


@dataclass(frozen=True)
class Cloud:
    """How long a cloud's credentials live (seconds), and how many mints an hour may take."""

    settings: dict[str, str]
    life: float
    bar: float
    reason: str


CLOUDS = {
    "gke": Cloud(
        {"project": "p", "location": "europe-west1"}, 3600, 2, "one identity, one token for all"
    ),
    "eks": Cloud(
        {"region": "eu-west-1"}, 14 * 60, 7 * CLUSTERS, "signed here, by cluster, every 10 min"
    ),
    "aks": Cloud(
        {"subscription": "s", "resource_group": "g"}, 3600, 2, "one identity, one token for all"
    ),
    "doks": Cloud({}, 3600, 1.2 * CLUSTERS, "one call an hour for each cluster"),
}


class SimulatedTime:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass(frozen=True)
class CountingLogin(SharedLogin):
    """Stands for a real log-in that several clusters share; asks nobody."""

    real: SharedLogin
    mints: list[str] = field(compare=False)
    time: SimulatedTime = field(compare=False)
    life: float

    async def mint(self) -> Credential:
        self.mints.append(str(self.real))
        return Credential(token=str(self.real), expires_at=self.time.now + self.life)


class CountingCredentials(SharedCredentials):
    """Shares as the real one does, on simulated clocks."""

    def __init__(self, time: SimulatedTime) -> None:
        super().__init__()
        self.time = time

    def _new_cache(
        self, login: SharedLogin, cluster: str, log: logging.Logger | None
    ) -> CredentialCache:
        assert isinstance(login, CountingLogin)
        return CredentialCache(
            login.mint,
            renew_before=login.real.renew_before,
            clock=self.time,
            monotonic=self.time,
            jitter=random.Random(cluster).random,
            log=log,
        )


def counting_backend(name: str, cluster: str, time: SimulatedTime, mints: list[str]) -> Backend:
    """Make a real backend whose log-in notes that it was asked, and asks nobody."""
    cloud, jitter = CLOUDS[name], random.Random(cluster)

    class Counting(backend_class(name)):  # type: ignore[misc]
        def credential_key(self) -> SharedLogin | None:
            real = super().credential_key()
            return None if real is None else CountingLogin(real, mints, time, cloud.life)

        async def mint(self) -> Credential:
            mints.append(cluster)
            return Credential(token=cluster, expires_at=time.now + cloud.life)

        def _new_cache(self) -> CredentialCache:
            renew_before, max_age = self.renewal()
            return CredentialCache(
                self.mint,
                renew_before=renew_before,
                max_age=max_age,
                clock=time,
                monotonic=time,
                jitter=jitter.random,
            )

    return cast(Backend, Counting(cluster_name=cluster, cluster=cluster, **cloud.settings))


async def mints_per_hour(name: str, hours: int = 24) -> float:
    """Count the mints of `CLUSTERS` clusters over simulated *hours*; each is asked all the time."""
    time, mints = SimulatedTime(), list[str]()
    shared = CountingCredentials(time)
    backends = [counting_backend(name, f"c{n}", time, mints) for n in range(CLUSTERS)]
    for backend in backends:
        backend.shared_credentials = shared
    start = time.now
    while time.now < start + hours * _HOUR:
        for backend in backends:
            credential = await backend.credentials.get()
            assert (credential.expires_at or 0) > time.now
        for _ in range(3):  # renewals in the background
            await asyncio.sleep(0)
        time.now += _STEP
    for backend in backends:
        await backend.close()
    return len(mints) / hours


async def first_logins(runs: int = 3) -> dict[str, float]:
    """Return the longest block in milliseconds, by backend, the best of *runs* processes."""
    return {
        name: min([await _first_login(log_in) for _ in range(runs)])
        for name, log_in in cloud_logins.BACKENDS.items()
        if name in CLOUDS
    }


async def _first_login(log_in: LogIn) -> float:
    with tempfile.TemporaryDirectory() as made, pytest.MonkeyPatch.context() as patch:
        folder = Path(made)
        clean_environment(patch, folder)
        async with FakeAPIServer().running() as server:
            (folder / "pki").mkdir()
            (folder / "pki" / "ca.crt").write_bytes(server.ca_data)
            cluster = cast(Any, SimpleNamespace(api_url=server.url, directory=folder))
            known = cloud_logins.authenticators()
            place = Place(cluster, "users", known, folder / "kubeconfig", ([], ""))
            async with log_in(place, patch, folder) as login:
                settings = {"namespace": "users", "ingress_public_url": "http://192.0.2.1"}
                clusters = {"it": settings | login.settings}
                return await _in_a_process(json.dumps(clusters))


async def _in_a_process(clusters: str) -> float:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.bench.first_login", "it", clusters),
        stdout=subprocess.PIPE,
        env=os.environ,
    )
    out, _ = await process.communicate()
    assert process.returncode == 0, "the first login failed"
    return float(out) * 1e3


_IMPORT = """
import json, sys, time
import jupyterhub.spawner
before, start = set(sys.modules), time.perf_counter()
import {module}
took = (time.perf_counter() - start) * 1e3
print(json.dumps([took, sorted(set(sys.modules) - before)]))
"""


def imported(module: str, runs: int = 3) -> tuple[float, set[str]]:
    """Import *module* on top of JupyterHub's spawner; return milliseconds (best) and modules."""
    results = [_import(module) for _ in range(runs)]
    return min(took for took, _ in results), set(results[0][1])


def _import(module: str) -> tuple[float, list[str]]:
    command = [sys.executable, "-c", _IMPORT.format(module=module)]
    out = subprocess.run(command, check=True, capture_output=True).stdout
    took, modules = json.loads(out)
    return took, modules


def sdks_in(modules: set[str]) -> set[str]:
    """Which SDKs of clouds and of Kubernetes are among *modules*."""
    return {module for module in modules if module.partition(".")[0] in _SDKS}


def _verdict(met: bool) -> str:
    return "met" if met else "MISSED"


def _mints() -> bool:
    kept = []
    for name, cloud in CLOUDS.items():
        found = asyncio.run(mints_per_hour(name))
        kept.append(found <= cloud.bar)
        bar = f"bar: {cloud.bar:.0f}, {cloud.reason}, {_verdict(kept[-1])}"
        print(f"mints per hour, {CLUSTERS} clusters of {name}: {found:.1f} ({bar})")
    return all(kept)


def _blocks() -> bool:
    found = asyncio.run(first_logins())
    met = max(found.values()) < BLOCK_BAR_MS
    numbers = ", ".join(f"{name} {ms:.1f} ms" for name, ms in found.items())
    bar = f"best of 3; bar: < {BLOCK_BAR_MS:.0f} ms, {_verdict(met)}"
    print(f"longest block of the event loop in the first login: {numbers} ({bar})")
    return met


def _imports() -> bool:
    ours, modules = imported("mcks.core.spawner")
    theirs, their_modules = imported("kubespawner")
    sdks = sdks_in(modules)
    met = not sdks and ours < theirs
    print(
        f"import on top of jupyterhub.spawner: mcks.core.spawner {ours:.0f} ms and "
        f"{len(modules)} modules, kubespawner {theirs:.0f} ms and {len(their_modules)} "
        f"(bar: less, and no SDK, {_verdict(met)}{''.join(f' {name}' for name in sorted(sdks))})"
    )
    return met


def main() -> bool:
    """Print the results; return whether all bars are met."""
    checks: list[Callable[[], bool]] = [_mints, _blocks, _imports]
    with tempfile.TemporaryDirectory() as bytecode, pytest.MonkeyPatch.context() as patch:
        # Modules are compiled once, as pip does when it installs them.
        patch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
        patch.setenv("PYTHONPYCACHEPREFIX", bytecode)
        results = [check() for check in checks]
    return all(results)


if __name__ == "__main__":
    raise SystemExit(not main())
