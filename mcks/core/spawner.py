"""MultiClusterKubeSpawner: the hub's calls, each as a short story.

How a server gets into a cluster (launch.py), what it is made of (render.py), and which settings
there are (settings.py) does not belong here.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import time
from collections.abc import AsyncIterator, Collection, Mapping
from typing import TYPE_CHECKING, Any

from jupyterhub.spawner import Spawner
from traitlets import default

from mcks.backends.api_client import imported_ahead
from mcks.core.administrator.inventory import Inventory
from mcks.core.administrator.lending import read
from mcks.core.clusters.cluster import Cluster, ConfiguredCluster
from mcks.core.hub import error_pages
from mcks.core.hub.address import Address
from mcks.core.hub.hooks import Hooks
from mcks.core.hub.placing import Placing
from mcks.core.hub.removal import Removal
from mcks.core.hub.sharing import fleet_of, import_for, know_clusters
from mcks.core.knowledge import database
from mcks.core.kubespawner.speaking import SpeaksKubeSpawner
from mcks.core.placement import data_guard
from mcks.core.profiles.choosing import Choosing
from mcks.core.profiles.foreign_names import ForeignNames, NoEffect
from mcks.core.servers import state
from mcks.core.servers.progress import Progress
from mcks.core.settings import Settings
from mcks.errors import ChoiceRefused, Defect, MCKSError, StartFailed

if TYPE_CHECKING:
    from mcks.core.clusters.connected import ConnectedCluster
    from mcks.core.clusters.pool import Pool
    from mcks.core.placement.news import Place
    from mcks.core.servers.sighting import Sighting

_LATE = StartFailed(
    "Your server could not be started in time. Try again, or choose another profile.",
    reason="timeout",
)
"""The hub has no more time for the start, whatever it waited for."""


class MultiClusterKubeSpawner(ForeignNames, Hooks, SpeaksKubeSpawner, Spawner, Settings, NoEffect):  # type: ignore[misc]
    """Starts each server in the Kubernetes cluster that its profile names."""

    remembered = state.State()
    """What there is to remember at the moment; it is replaced as a whole."""
    _exit_code: int | None = None
    _starting = False
    _progress: Progress | None = None
    _removal: Removal | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.choosing = Choosing(self)
        super().__init__(*args, **kwargs)
        self.choosing.remember(self.user_options)
        import_for(self.known_clusters, self.config)

    @default("start_timeout")
    def _default_start_timeout(self) -> int:
        return 300

    @default("ip")
    def _default_ip(self) -> str:
        return "0.0.0.0"  # noqa: S104 (the network is the pod's own)

    @default("port")
    def _default_port(self) -> int:
        return 8888

    @default("env_keep")
    def _default_env_keep(self) -> list[str]:
        return []

    # -- helpers: a server that runs needs none of them ------------------------------------------

    @property
    def placing(self) -> Placing:
        """Finds the clusters in which the server may start."""
        return Placing(self)

    @property
    def address(self) -> Address:
        """Looks after where the server is."""
        return Address(self)

    @property
    def removal(self) -> Removal:
        """Takes the server out of its cluster."""
        if self._removal is None:
            self._removal = Removal(self)
        return self._removal

    @property
    def overridden(self) -> Collection[str]:
        """Names of the traits that a profile has set."""
        return self.choosing.overrides.changed

    # -- the form ---------------------------------------------------------------------------

    @default("options_form")
    def _default_options_form(self) -> Any:
        known = self.known_clusters
        may_ask = isinstance(known, Inventory) or len(known) > 1 or read(self, "profile_list")
        return _profile_form if may_ask else ""

    @default("options_from_form")
    def _default_options_from_form(self) -> Any:
        return self.choosing.posted

    async def run_auth_state_hook(self, auth_state: Any) -> None:
        """Also called before the form is shown: a link's fields preselect, they start nothing."""
        await super().run_auth_state_hook(auth_state)
        request = getattr(self.handler, "request", None)
        if request is not None and request.method == "GET" and "/spawn" in request.path:
            self.choosing.take_link(request.query_arguments)

    # -- before the start: groups, and the profile --------------------------------------------

    async def apply_group_overrides(self) -> None:
        """Apply what the user's groups set, which a profile may set anew."""
        try:
            await self.apply_groups()
        except MCKSError as exc:
            raise error_pages.refused(self, exc) from None

    async def apply_groups(self) -> None:
        """Do the same, as commands do it. Raises FunctionFailed, ConfigError."""
        self.choosing.overrides.begin()
        await super().apply_groups()

    async def _run_apply_user_options(self, user_options: dict[str, Any]) -> None:
        """Apply the profile, then the administrator's own hook, so that hooks see final values."""
        try:
            said, user_options = user_options, self.choosing.take_consent(user_options)
            if user_options != said:
                self.user_options = self.orm_spawner.user_options = user_options
            await self.apply_profile(user_options)
        except MCKSError as exc:
            if isinstance(exc, ChoiceRefused):
                self.orm_spawner.user_options = self.choosing.saved  # no memory of a refusal
            raise error_pages.refused(self, exc) from None
        if self.apply_user_options:
            with error_pages.hook_before(self):
                await super()._run_apply_user_options(user_options)

    async def run_pre_spawn_hook(self) -> None:
        """Run the administrator's hook; what it refuses is no failure of the hub."""
        with error_pages.hook_before(self):
            answer = super().run_pre_spawn_hook()
            if inspect.isawaitable(answer):
                await answer

    async def apply_profile(self, user_options: Mapping[str, Any]) -> None:
        """Set what the chosen profile and options override.

        Raises UnknownProfile, NotAllowed, ConfigError.
        """
        await know_clusters(self)
        if not read(self, "profile_list"):
            self.choosing.clear()
            return
        chosen = await self.choosing.apply(user_options)
        if chosen is None:
            return
        # the hub's admin page shows these; what the user said is saved already
        self.user_options = {**user_options, **chosen.user_options}
        self.log.info(
            "%s chose the profile %r %s", self._log_name, chosen.profile.slug, chosen.options or ""
        )
        for notice in chosen.notices:
            self.log.warning("%s: %s", self._log_name, notice)

    # -- start ------------------------------------------------------------------------------

    async def start(self) -> str:
        """Start the server and return the URL of its gateway, or its own, once it answers there."""
        from mcks.core.start import REPORT, Start  # noqa: PLC0415 - see sharing.AHEAD

        self._starting, self._progress, self._exit_code = True, Progress(), None
        self.tell_foreign_names()
        began = time.monotonic()
        try:
            return await Start(self, self._progress).run()
        except asyncio.CancelledError:
            if time.monotonic() - began < self.start_timeout * REPORT:
                raise  # somebody stopped it
            raise error_pages.refused(self, _LATE, self.remembered.cluster) from None
        except MCKSError as exc:
            # the hub logs the stack of what it does not fetch
            raise error_pages.refused(self, exc, self.remembered.cluster) from None
        except Exception as exc:
            if error_pages.is_refusal(exc):
                raise
            self.log.exception("%s: a start met what mcks did not expect", self._log_name)
            raise error_pages.refused(self, Defect(exc), self.remembered.cluster) from None
        finally:
            self._starting = False
            self._progress.end()
            self._progress = None
            self.tell_foreign_names()

    # -- stop, poll, progress -----------------------------------------------------------------

    async def stop(self, now: bool = False) -> None:
        """Return when the server's Pod is gone, or at once if its cluster cannot be reached.

        The hub forgets the server even if this raises, so mcks remembers what is to be deleted.
        """
        if seen := self._look():
            self.remembered = self.remembered._replace(
                ended=seen.last_words or self.remembered.ended
            )
        await self.removal.complete()

    async def poll(self) -> int | None:
        """Return None while the server runs, starts, ends or is out of sight, else its exit code.

        A look into memory: it never waits for a network and never raises.
        """
        await imported_ahead()
        await fleet_of(self).pool.looks.next()
        created = self.remembered.created
        if created is None:
            return self._exit_code or 0
        if self._starting or (self._removal and self._removal.task):
            return None
        seen = self._look()
        if seen is None or seen.exit_code is None:
            self.address.follow(seen.pod if seen else None)
            return None
        if self._exit_code is None:
            self._exit_code = seen.exit_code
            self.remembered = self.remembered._replace(ended=seen.last_words)
        if seen.there or created.unowned:
            self.removal.begin()
            return None
        return self._exit_code

    async def progress(self) -> AsyncIterator[dict[str, Any]]:
        """Tell what happens, in words for people, to each viewer from the beginning."""
        progress = self._progress
        if progress is None or not self._starting:
            return
        narrator = asyncio.create_task(self._narrate(progress))
        try:
            async for line in progress.follow():
                yield line
        finally:
            narrator.cancel()
            await asyncio.gather(narrator, return_exceptions=True)

    async def _narrate(self, progress: Progress) -> None:
        """Add the Pod's events, only while somebody looks on; in each cluster that is tried."""
        while True:
            await progress.accepted.wait()
            telling = asyncio.create_task(self._tell_events(progress))
            try:
                await progress.anew.wait()
            finally:
                telling.cancel()
                await asyncio.gather(telling, return_exceptions=True)

    async def _tell_events(self, progress: Progress) -> None:
        from mcks.core.servers import launch  # noqa: PLC0415 - see sharing.AHEAD

        if (created := self.remembered.created) is not None:
            with contextlib.suppress(MCKSError):
                await launch.narrate(await self.connect(), created, progress)

    # -- data ---------------------------------------------------------------------------------

    async def delete_forever(self) -> None:
        """Delete a named server's own data; with the default server, all data of its user.

        The hub calls this for each server of a user who is deleted, and for a named server alone.
        """
        if self.name:
            data = {datum for datum in self.remembered.data if datum.of_server}
        else:
            data = {*self.remembered.data, *database.data_of_user(self.user)}
        self.remembered = self.remembered.without_data(data)
        await asyncio.gather(
            *(fleet_of(self).delete_data(datum, self.clusters_ever) for datum in data)
        )

    # -- the hub restarts -----------------------------------------------------------------------

    def get_state(self) -> dict[str, Any]:
        """Return names only: what it takes to find the server again."""
        return {**super().get_state(), **state.save(self.remembered)}

    def load_state(self, saved: dict[str, Any]) -> None:
        """Take back what ``get_state`` said, or what the original spawner saved."""
        super().load_state(saved)
        self.remembered = state.load(saved, self.hub_id)
        if profile := self.remembered.profile:
            self.choosing.profile = profile
            if "profile" not in self.user_options:
                self.user_options = {"profile": profile, **self.user_options}
        if self.remembered.max_age is not None:
            fleet_of(self).ages.follow(self)

    def clear_state(self) -> None:
        """Forget the server, but not its data, nor how it ended; undo what the profile set."""
        super().clear_state()
        self.choosing.overrides.restore()
        self.remembered = self.remembered.without_server()

    async def get_url(self) -> str:
        """Return the server's URL; asked at the hub's start for servers that may still run."""
        return await self.address.find(str(await super().get_url()))

    def homes(self) -> list[str]:
        """The clusters in which the user has data that this server may use, the latest first."""
        return data_guard.homes(fleet_of(self).memory.data_for(self))

    # -- clusters -------------------------------------------------------------------------------

    def chosen_cluster(self) -> str:
        """Name the cluster to start in, the first one of several. Raises ConfigError."""
        return self.placing.named()[0]

    def configured(self, pool: Pool) -> ConfiguredCluster:
        """Find the settings of the cluster to start in; no network. Raises ConfigError."""
        return pool.configured(self.chosen_cluster(), self.known_clusters)

    def cluster_named(self, name: str) -> Cluster:
        """Return what the administrator says about a cluster. Raises ConfigError."""
        return fleet_of(self).pool.configured(name, self.known_clusters).cluster

    def unavailable(self, cluster: str) -> str:
        """Say to users why no server can start in *cluster* at present; empty if one can."""
        return fleet_of(self).unavailable(cluster, self.known_clusters)

    async def news_of(self, places: Collection[Place]) -> Mapping[Place, tuple[str, ...]]:
        """Return sentences for users about *places*, as far as there is something to say."""
        return await fleet_of(self).news.of(places, self.known_clusters, self.homes())

    def _look(self) -> Sighting | None:
        """What is known of the server's Pod, without any network; None if nothing is."""
        remembered = self.remembered
        cluster = fleet_of(self).pool.peek(remembered.cluster, self.clusters_ever)
        if cluster is None or remembered.created is None:
            return None
        from mcks.core.servers import sighting  # noqa: PLC0415 - see sharing.AHEAD

        return sighting.look(cluster, remembered.created)

    async def connect(self) -> ConnectedCluster:
        """Return the connection to the server's cluster.

        Raises ConfigError, AuthError, Unreachable.
        """
        return await fleet_of(self).pool.connect(self.remembered.cluster, self.clusters_ever)


async def _profile_form(spawner: MultiClusterKubeSpawner) -> str:
    await fleet_of(spawner).pool.turns.next()  # many who look at once must not hold up the hub
    try:
        await know_clusters(spawner)
        return await spawner.choosing.form()
    except MCKSError as exc:
        reference = error_pages.reference_for(exc)
        spawner.log.error("The profile form cannot be shown (reference %s): %s", reference, exc)
        return error_pages.alert(exc, reference)
