"""What random walks of placement do, and what there should be then: plain values, no cluster."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from hypothesis import strategies as st

from mcks.core.profiles.offer import DataPolicy
from mcks.core.profiles.profile_list import DATA_OPTION, ELSEWHERE

Server = tuple[str, str]
SERVERS: list[Server] = [("ada", ""), ("ada", "two"), ("bob", ""), ("bob", "two")]
NAMES = ("a", "b")
ANY = "any"
_CHANCES = {
    "start": 6, "start_all": 2, "stop": 4, "cancel": 2, "drain": 1, "undrain": 2,
    "outage": 2, "outage_in_start": 2, "outage_ends": 3, "restart": 1, "restart_in_start": 2,
}  # fmt: skip
_WITH_COUNT = ("cancel", "outage_in_start", "restart_in_start")
_WITH_CLUSTER = ("drain", "undrain", "outage", "outage_in_start")
_KINDS = [kind for kind, chance in _CHANCES.items() for _ in range(chance)]


@dataclass(frozen=True)
class Rules:
    """What the administrator says for one walk. Limits are those of each cluster."""

    order: tuple[str, ...]
    policy: DataPolicy
    max_servers: tuple[int | None, ...]
    max_per_user: tuple[int | None, ...]
    max_starting: int | None

    def limits(self, cluster: str) -> dict[str, int]:
        """The limits of *cluster*, as its settings say them."""
        place = NAMES.index(cluster)
        limits = {
            "max_servers": self.max_servers[place],
            "max_per_user": self.max_per_user[place],
            "max_starting": self.max_starting,
        }
        return {name: limit for name, limit in limits.items() if limit is not None}


_of_each = st.sampled_from
RULES = st.builds(
    Rules,
    order=_of_each([("a", "b"), ("b", "a")]),
    policy=_of_each(["stay", "ask", "ignore"]),
    max_servers=st.tuples(*[_of_each([None, None, 1, 2])] * 2),
    max_per_user=st.tuples(*[_of_each([None, None, 1])] * 2),
    max_starting=_of_each([None, 1]),
)


@dataclass(frozen=True)
class Step:
    """One thing that happens. *cluster*: where; *picked*: where the user wants to start, and
    *agreed*: that this may be without their data; *count*: how many requests a start may send
    before it happens; *silent*: an outage is silence, and no refusal."""

    what: str
    server: Server
    cluster: str
    picked: str
    agreed: bool
    count: int
    silent: bool

    def __str__(self) -> str:
        words = [self.what]
        if self.what in _WITH_CLUSTER:
            words.append(f"{'silent ' if self.silent else ''}{self.cluster}")
        if "start" in self.what or self.what in ("stop", "cancel"):
            words.append(f"{'/'.join(self.server)} in {self.picked}")
            words += ["without data"] if self.agreed else []
        if self.what in _WITH_COUNT:
            words.append(f"after {self.count} requests")
        return " ".join(words)

    @property
    def options(self) -> dict[str, str]:
        """What the user sends to start."""
        cluster = {} if self.picked == ANY else {"cluster": self.picked}
        return {"profile": "anywhere"} | cluster | ({DATA_OPTION: ELSEWHERE} if self.agreed else {})


STEPS = st.lists(
    st.builds(
        Step,
        what=_of_each(_KINDS),
        server=_of_each(SERVERS),
        cluster=_of_each(NAMES),
        picked=_of_each([ANY, ANY, ANY, *NAMES]),
        agreed=_of_each([False, False, True]),
        count=st.integers(0, 9),
        silent=st.booleans(),
    ),
    min_size=8,
    max_size=12,
)


def key(server: Server) -> str:
    """The name of the server's objects."""
    return "--".join(["h-jupyter-" + server[0], *filter(None, server[1:])])


@dataclass
class Model:
    """What there should be. ``running``: in which cluster a server is, ``uids``: its Pod's;
    ``homes``: where a user has data, what was used last last; ``perhaps``: where a start that was
    disturbed may have made some; ``debts``: clusters with something yet to be deleted."""

    rules: Rules
    running: dict[Server, str] = field(default_factory=dict)
    uids: dict[Server, str] = field(default_factory=dict)
    homes: dict[str, list[str]] = field(default_factory=dict)
    perhaps: set[tuple[str, str]] = field(default_factory=set)
    drained: set[str] = field(default_factory=set)
    dark: set[str] = field(default_factory=set)
    debts: set[str] = field(default_factory=set)

    def started(self, server: Server, cluster: str, uid: str) -> None:
        """Take in that *server* runs."""
        self.running[server], self.uids[server] = cluster, uid
        homes = self.homes.setdefault(server[0], [])
        homes[:] = [home for home in homes if home != cluster] + [cluster]

    def stopped(self, server: Server) -> None:
        """Take in that *server* runs no more."""
        if self.running.pop(server, None) in self.dark:
            self.debts |= self.dark
        self.uids.pop(server, None)

    def in_cluster(self, cluster: str) -> set[Server]:
        """The servers that run there."""
        return {server for server, place in self.running.items() if place == cluster}

    def is_bound(self, step: Step) -> bool:
        """Whether a start may go only where its user's data is."""
        asks = self.rules.policy == "ask" and not step.agreed
        return self.rules.policy == "stay" or asks

    def near_data(self, user: str, step: Step, cluster: str) -> bool:
        """Whether the data that *user* has, if any, lets a start go to *cluster*."""
        homes = self.homes.get(user, [])
        return not self.is_bound(step) or not homes or cluster in homes

    def open_to(self, step: Step, server: Server) -> list[str]:
        """The clusters in which *server* could start now, the best first."""
        names: Sequence[str] = self.rules.order if step.picked == ANY else (step.picked,)
        homes = self.homes.get(server[0], [])
        near = [name for name in reversed(homes) if name in names]
        ordered = near + [name for name in names if name not in near]
        return [
            name
            for name in ordered
            if name not in self.drained | self.dark
            and self.near_data(server[0], step, name)
            and not list(self.over([*self.running.items(), (server, name)], name))
        ]

    def may_have_more_data(self, user: str) -> bool:
        """Whether the user may have data of which nobody is certain."""
        more = {cluster for name, cluster in self.perhaps if name == user}
        return bool(more - {*self.homes.get(user, [])})

    def may_be_refused(self, step: Step, user: str) -> bool:
        """Whether that data may keep a start from where it could go."""
        return self.is_bound(step) and self.may_have_more_data(user)

    def over(self, placed: Iterable[tuple[Server, str]], cluster: str) -> Iterable[str]:
        """Say which limits of *cluster* are passed if these servers run where they are *placed*."""
        servers = [server for server, place in placed if place == cluster]
        limits = self.rules.limits(cluster)
        if len(servers) > limits.get("max_servers", len(servers)):
            yield f"{servers} are over max_servers of {cluster}"
        for user, count in Counter(user for user, _ in servers).items():
            if count > limits.get("max_per_user", count):
                yield f"{user} is over max_per_user of {cluster}"
