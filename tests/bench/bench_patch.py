"""Measures a patch in mcks and in kubectl side by side: ``python -m tests.bench.bench_patch``.

The object is a notebook server's Pod of 2 kB, the patch a typical one: a sidecar, two variables,
a volume, a node selector, limits. kubectl's time is that of a whole process, as that is what a
spawner pays that forks it.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mcks.core.patching.patch import apply_patches, strategic_merge
from tests.core.kubectl import Kubectl, plain_kubectl, same
from tests.core.manifests.one_document import load

MEDIAN_BAR = 0.2e-3
"""Seconds that the patch of a 2 kB Pod may take."""

RATIO_BAR = 300
"""How many times as long kubectl must take at least."""

POD = """
apiVersion: v1
kind: Pod
metadata:
  name: hub-ann
  labels: {app: jupyterhub, component: singleuser-server, heritage: mcks}
  annotations: {hub.jupyter.org/username: ann, hub.jupyter.org/servername: ""}
spec:
  automountServiceAccountToken: true
  serviceAccountName: hub-ann
  restartPolicy: OnFailure
  securityContext: {fsGroup: 100, fsGroupChangePolicy: OnRootMismatch}
  tolerations:
  - {key: hub.jupyter.org/dedicated, operator: Equal, value: user, effect: NoSchedule}
  - {key: hub.jupyter.org_dedicated, operator: Equal, value: user, effect: NoSchedule}
  initContainers:
  - name: block-metadata
    image: registry.example.org/network-tools:3.3.8
    command: [iptables, -A, OUTPUT, -d, 169.254.169.254, -j, DROP]
    securityContext: {privileged: true, runAsUser: 0, capabilities: {add: [NET_ADMIN]}}
  containers:
  - name: notebook
    image: pangeo/pangeo-notebook:latest
    imagePullPolicy: IfNotPresent
    args: [jupyterhub-singleuser]
    ports: [{name: notebook-port, containerPort: 8888, protocol: TCP}]
    envFrom: [{secretRef: {name: hub-ann}}]
    env:
    - {name: JUPYTER_IMAGE, value: "pangeo/pangeo-notebook:latest"}
    - {name: MEM_GUARANTEE, value: "1073741824"}
    - {name: MEM_LIMIT, value: "4294967296"}
    - {name: NODE_NAME, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}
    - {name: SCRATCH_BUCKET, value: "s3://scratch.example.org/ann"}
    resources: {limits: {cpu: 4, memory: 4294967296}, requests: {cpu: 0.5, memory: 1073741824}}
    volumeMounts:
    - {name: home, mountPath: /home/jovyan, subPath: home/ann}
    - {name: shared, mountPath: /home/jovyan/shared, readOnly: true}
    - {name: shm, mountPath: /dev/shm}
    lifecycle: {postStart: {exec: {command: [sh, -c, "mkdir -p ~/.cache; true"]}}}
  volumes:
  - {name: home, persistentVolumeClaim: {claimName: home-nfs}}
  - {name: shared, nfs: {server: nfs.example.org, path: /export/shared}}
  - {name: shm, emptyDir: {medium: Memory, sizeLimit: 1Gi}}
"""
PATCH = """
kind: Pod
metadata: {name: hub-ann, labels: {team: research}}
spec:
  nodeSelector: {pool: gpu}
  tolerations: [{key: nvidia.com/gpu, operator: Exists}]
  volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]
  containers:
  - name: notebook
    env: [{name: MEM_LIMIT, value: "8589934592"}, {name: TEAM, value: research}]
    resources: {limits: {nvidia.com/gpu: 1, memory: 8589934592}}
    volumeMounts: [{name: data, mountPath: /data}]
  - name: sidecar
    image: registry.example.org/sidecar:1
"""


@dataclass(frozen=True)
class Times:
    """Seconds of many runs of one thing."""

    name: str
    seconds: list[float]

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    def __str__(self) -> str:
        p99 = statistics.quantiles(self.seconds, n=100)[98]
        number = len(self.seconds)
        return f"{self.name:<28}{self.median * 1e3:>10.3f}{p99 * 1e3:>10.3f}{number:>8}"


def measure(name: str, function: Callable[[], Any], runs: int) -> Times:
    """Run *function* a few times to warm up, then *runs* times."""
    for _ in range(3):
        function()
    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - start)
    return Times(name, seconds)


def compare(kubectl: Kubectl, runs: int = 3000, forks: int = 30) -> list[Times]:
    """Measure the merge, the whole apply_patches, and kubectl; they must agree."""
    pod, patch = load(POD), load(PATCH)
    assert same(strategic_merge(pod, patch), kubectl.patch(pod, patch).objects[0])
    return [
        measure("strategic_merge", lambda: strategic_merge(pod, patch), runs),
        measure("apply_patches, one patch", lambda: apply_patches([pod], [("10", patch)]), runs),
        measure("reading the Pod's YAML", lambda: load(POD), runs // 3),
        measure(f"kubectl {kubectl.version}", lambda: kubectl.patch(pod, patch), forks),
    ]


def main() -> bool:
    """Print the table; say whether the bars are kept."""
    size = len(json.dumps(load(POD), separators=(",", ":")))
    times = compare(plain_kubectl())
    ratio = times[-1].median / times[0].median
    print(f"Strategic merge patch of a Pod of {size} bytes")
    print(f"{'':<28}{'median ms':>10}{'p99 ms':>10}{'runs':>8}")
    print(*times, sep="\n")
    print(f"kubectl takes {ratio:.0f} times as long (bar: {RATIO_BAR})")
    return times[0].median < MEDIAN_BAR and ratio >= RATIO_BAR


if __name__ == "__main__":
    raise SystemExit(not main())
