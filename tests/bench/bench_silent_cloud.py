"""How long a healthy cluster's first connection takes beside clusters of a silent cloud.

Four EKS clusters whose log-in (IRSA) waits for an STS that never answers, and beside them a
cluster of a kubeconfig, and an EKS cluster of another account. Run it with ``python -m``.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.fakes.cloud_environment import clean_environment
from tests.fakes.loopback import FakeAPIServer
from tests.fakes.silence import silence

RATIO_BAR = 2.0
DEAD = [f"dead-{number}" for number in range(4)]
HEALTHY = ["kubeconfig", "other-account"]
_RUNS = 5


async def ratios(runs: int = _RUNS) -> dict[str, tuple[float, float]]:
    """Return the seconds alone and beside the dead ones, by healthy cluster (medians)."""
    with tempfile.TemporaryDirectory() as made, pytest.MonkeyPatch.context() as patch:
        folder = Path(made)
        clean_environment(patch, folder)
        async with silence() as sts, FakeAPIServer().running() as server:
            patch.setenv("AWS_ENDPOINT_URL_STS", sts.url)
            patch.setenv("AWS_ROLE_ARN", "arn:aws:iam::1:role/hub")
            patch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(folder / "jwt"))
            (folder / "jwt").write_text("token of a pod")
            clusters = json.dumps(_clusters(_kubeconfig(folder / "kubeconfig", server)))
            return {
                name: (
                    await _median(name, clusters, [], runs),
                    await _median(name, clusters, DEAD, runs),
                )
                for name in HEALTHY
            }


def _clusters(kubeconfig: str) -> dict[str, Any]:
    of_all = {"namespace": "users", "ingress_public_url": "http://192.0.2.1"}
    by_file = of_all | {"backend": "generic-kubeconfig", "kubeconfig": kubeconfig}
    dead = {"backend": "eks", "region": "eu-west-1", "cluster": "research"} | of_all
    healthy = {name: by_file | {"context": name} for name in HEALTHY}
    return healthy | {name: dead | {"cluster": name} for name in DEAD}


def _kubeconfig(path: Path, server: FakeAPIServer) -> str:
    ca = base64.b64encode(server.ca_data).decode()
    keys = {"AWS_ACCESS_KEY_ID": "AKIAOTHER", "AWS_SECRET_ACCESS_KEY": "SECRET"}
    stanza = {
        "apiVersion": "client.authentication.k8s.io/v1beta1",
        "command": "aws",
        "args": ["eks", "get-token", "--cluster-name", "hub", "--region", "eu-west-1"],
        "env": [{"name": name, "value": value} for name, value in keys.items()],
    }
    users = {"kubeconfig": {"token": "t"}, "other-account": {"exec": stanza}}
    cluster = {"server": server.url, "certificate-authority-data": ca}
    content = {
        "clusters": [{"name": "c", "cluster": cluster}],
        "users": [{"name": name, "user": user} for name, user in users.items()],
        "contexts": [{"name": n, "context": {"cluster": "c", "user": n}} for n in users],
    }
    path.write_text(yaml.safe_dump(content))
    return str(path)


async def _median(name: str, clusters: str, dead: list[str], runs: int) -> float:
    return statistics.median([await _in_a_process(name, clusters, dead) for _ in range(runs)])


async def _in_a_process(name: str, clusters: str, dead: list[str]) -> float:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.bench.connect_process", name, clusters, *dead),
        stdout=subprocess.PIPE,
        env=os.environ,
    )
    out, _ = await process.communicate()
    assert process.returncode == 0, "the healthy cluster was not reached"
    return float(out)


def main() -> bool:
    """Print the results; return whether the bar is met."""
    kept = []
    for name, (alone, beside) in asyncio.run(ratios()).items():
        kept.append(beside <= RATIO_BAR * alone)
        print(
            f"first connection to {name}: {alone * 1e3:.0f} ms alone, {beside * 1e3:.0f} ms beside "
            f"{len(DEAD)} clusters of a silent cloud (median of {_RUNS}; bar: at most "
            f"{RATIO_BAR:.0f} times, {'met' if kept[-1] else 'MISSED'})"
        )
    return all(kept)


if __name__ == "__main__":
    raise SystemExit(not main())
