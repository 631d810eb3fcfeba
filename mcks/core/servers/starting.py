"""What a start reads of its spawner, and of that one's user and hub, for the type checker.

The spawner itself, and what is done with it, does not belong here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol

from mcks.core.kubespawner.translation import Translation
from mcks.core.manifests.levels import Level
from mcks.core.manifests.variables import Traits


class User(Protocol):
    """A user of the hub."""

    id: int
    name: str


class Hub(Protocol):
    """The hub, as its servers reach it."""

    base_url: str
    url: str
    connect_url: str
    connect_ip: str


class Overrides(Protocol):
    """What this start sets on its spawner, and what is set back afterwards."""

    def set(self, name: str, value: Any, where: str) -> None:
        """Set a trait; *where* that is said is for messages."""

    def settle(self, said: Mapping[str, Any], where: str) -> None:
        """Put what a cluster has *said* below all that was set for this start."""


class Chosen(Protocol):
    """What the user has chosen: a profile's slug, and its options with their values."""

    profile: str
    options: Mapping[str, str]
    agreed: bool
    """Whether the user has said that this start may go without their data."""

    @property
    def data_policy(self) -> Literal["stay", "ask", "ignore"]:
        """Where this start may go if the user has data."""

    @property
    def overrides(self) -> Overrides:
        """What the choice has set, and whatever else holds for this start alone."""


class StartingSpawner(Traits, Protocol):
    """A spawner whose profile is applied, as far as its server is made of it."""

    name: str
    user: User
    hub: Hub
    choosing: Chosen
    user_options: dict[str, Any]
    hub_id: str
    key_template: str
    objects: Level
    resources: Level
    patches: Level
    ingress_public_url: str
    hub_connect_url: str | None
    proxy_spec: str
    ready_check: str
    internal_ssl: bool
    port: int
    cmd: Sequence[str] | None
    cmd_as_args: bool
    named: Mapping[str, str]
    mem_limit: float | None
    mem_guarantee: float | None
    cpu_limit: float | None
    cpu_guarantee: float | None

    def get_args(self) -> list[str]:
        """Return the arguments of ``cmd``."""

    def get_env(self) -> dict[str, Any]:
        """Return the server's environment, its API token included."""

    def translation(self) -> Translation:
        """Return what KubeSpawner's words, as far as they are said, make of the objects."""
