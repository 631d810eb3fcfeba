"""Settings of the kernel that the clusters need more of than machines come with."""

from __future__ import annotations

from pathlib import Path

from tests.cluster import build

INSTANCES = Path("/proc/sys/fs/inotify/max_user_instances")
ENOUGH = 1024
"""Each containerd and kubelet takes dozens, a browser as well; 128 is what most machines allow.

When there are none left, a kubelet ends with "unknown service runtime.v1.RuntimeService".
"""


def allow_inotify_instances(path: Path = INSTANCES) -> None:
    """Let a user have as many inotify instances as two sets of clusters and a browser need.

    It stays raised: others may need it meanwhile. Where it cannot be changed, that is said.
    """
    try:
        allowed = int(path.read_text())
        if allowed >= ENOUGH:
            return
        path.write_text(str(ENOUGH))
    except (OSError, ValueError) as exc:
        build.say(
            f"fs.inotify.max_user_instances cannot be raised ({exc}): if a kubelet ends, run "
            f"`sysctl fs.inotify.max_user_instances={ENOUGH}` on the machine"
        )
        return
    build.say(f"fs.inotify.max_user_instances was {allowed} and is {ENOUGH} now")
