"""What the user of one spawner may choose, and has chosen: profiles, form, posted options.

What a profile list means (profiles.py, selection.py) and how a server starts does not belong here.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache, partial
from types import MappingProxyType
from typing import Any, Protocol

from mcks.core.administrator.access import AskingSpawner, allowed
from mcks.core.administrator.functions import ask
from mcks.core.administrator.inventory import Inventory
from mcks.core.administrator.lending import read
from mcks.core.administrator.limits import UNLIMITED, Limits
from mcks.core.clusters import candidates
from mcks.core.clusters.cluster import CONTEXT_PREFIX, Cluster
from mcks.core.profiles import offer, options_form, parsed, profile_list, selection
from mcks.core.profiles.overrides import Overridable, Overrides
from mcks.core.profiles.profile_list import DATA_OPTION, ELSEWHERE
from mcks.errors import ConfigError, MCKSError, NotAllowed, Tell, UnknownProfile, at_once

_NOTHING: Mapping[str, Any] = MappingProxyType({})
"""Of most spawners at most times; it is one for all, as there are many."""


class Hub(Protocol):
    """The hub, as far as a form links to it."""

    base_url: str


class ChoosingSpawner(AskingSpawner, Overridable, Protocol):
    """A spawner, as far as its user's choice depends on it."""

    known_clusters: Mapping[str, Any]
    profile_list: Any
    """A list, a dict, or a function (async, too) that returns one."""
    profile_form_template: str
    additional_profile_form_template_paths: Sequence[str]
    user_options: dict[str, Any]
    hub: Hub
    cluster: str
    kubernetes_context: str
    candidates: candidates.Candidates

    def cluster_named(self, name: str) -> Cluster:
        """Return what the administrator says about a cluster. Raises ConfigError."""

    def unavailable(self, cluster: str) -> str:
        """Say why no server can start in *cluster* at present; empty if one can."""

    def homes(self) -> Sequence[str]:
        """The clusters in which the user has data, what was used last first."""

    async def news_of(
        self, places: Collection[tuple[str, int | None]]
    ) -> Mapping[tuple[str, int | None], tuple[str, ...]]:
        """Return sentences for users about clusters in which servers live so long at the most."""

    data: offer.DataPolicy | None


class Choosing:
    """The profiles of one MultiClusterKubeSpawner, as its user may see and use them."""

    __slots__ = (
        *("_linked", "_overrides", "_posted", "_saved", "_several", "_spawner"),
        *("agreed", "limits", "notices", "options", "profile", "title"),
    )

    def __init__(self, spawner: ChoosingSpawner) -> None:
        self._spawner = spawner
        self._overrides: Overrides | None = None
        self.profile = ""
        """Slug of the profile that was applied."""
        self.title, self.limits = "", UNLIMITED
        """What users call that profile, and how many of its servers there may be."""
        self.options: Mapping[str, str] = _NOTHING
        """What templates read as ``options``: the profile's own options with checked answers."""
        self.notices: tuple[str, ...] = ()
        """Sentences for the user about a choice that is not there any more."""
        self.agreed = False
        """Whether the user has said that this start may go without their data."""
        self._several = False
        self._saved: Mapping[str, Any] = _NOTHING
        self._posted = False
        self._linked: Mapping[str, Any] = _NOTHING

    @property
    def overrides(self) -> Overrides:
        """What the choice has set; nothing yet, if nobody has asked before."""
        if self._overrides is None:
            self._overrides = Overrides(self._spawner)
        return self._overrides

    def clear(self) -> None:
        """Forget what was chosen: this start has no profile."""
        self.profile, self.options, self.notices, self._several = "", _NOTHING, (), False
        self.title, self.limits = "", UNLIMITED

    def sample(self, chosen: selection.Selection, tell: Tell = at_once) -> None:
        """Set what *chosen* overrides as far as it can be known without calling functions.

        Raises ConfigError for a value that its trait refuses; *tell* may take it instead.
        """
        self.profile, self.options = chosen.profile.slug, chosen.options
        self.overrides.apply_values(chosen.levels, tell)

    def remember(self, user_options: Mapping[str, Any] | None) -> None:
        """Take *user_options* as those of an earlier start, which may be out of date."""
        self._saved = dict(user_options) if user_options else _NOTHING

    async def listed(self) -> list[profile_list.Profile]:
        """Return all profiles; ask the administrator's function, if it is one, each time.

        What is left out because of a mistake is in the hub's log, each mistake once.
        """
        listed = read(self._spawner, "profile_list")
        if callable(listed):
            found = parsed.parse(await ask(listed, self._spawner, "profile_list"))
        else:
            found = await parsed.in_time(self._spawner)
        for mistake in found.mistakes:
            _tell(self._spawner.log, mistake)
        for note in found.notes:
            _note(self._spawner.log, note)
        return list(found.profiles)

    # -- the form -----------------------------------------------------------------------------

    async def form(self) -> str:
        """Render the form; empty if no profiles are listed at all.

        Raises ConfigError, and NotAllowed if none of the profiles is open to the user.
        """
        spawner = self._spawner
        permitted = await self._permitted(await self.listed())
        if not permitted:
            return self._question_alone()
        permitted = offer.with_availability(permitted, self._unavailable)
        permitted = await self._with_news(permitted)
        homes = spawner.homes()
        if homes:
            permitted = offer.with_questions(permitted, partial(self._asks, homes))
        options = {k: v for k, v in self._linked.items() if k != DATA_OPTION}
        options = options or dict(spawner.user_options)
        chosen = offer.available(selection.select(permitted, options, saved=True), permitted)
        return options_form.form(
            spawner.profile_form_template,
            permitted,
            directories=spawner.additional_profile_form_template_paths,
            chosen=chosen,
            hub_url=spawner.hub.base_url,
            data=self._question(homes, permitted),
        )

    def _question_alone(self) -> str:
        """Ask about the user's data if a link leads there; without profiles there is no form."""
        if self._linked.get(DATA_OPTION) != ELSEWHERE:
            return ""
        return options_form.form("", [], data=self._question(self._spawner.homes(), []))

    def _question(
        self, homes: Sequence[str], permitted: Sequence[profile_list.Profile]
    ) -> options_form.DataQuestion:
        """Say where the user's data is, if there is another place at all."""
        names = {*self._spawner.known_clusters, *homes}
        where = tuple(name.removeprefix(CONTEXT_PREFIX) for name in homes)
        agreed = self._linked.get(DATA_OPTION) == ELSEWHERE
        asks = agreed or any(map(_may_ask, permitted))
        return options_form.DataQuestion(where if len(names) > 1 else (), asks, agreed)

    def posted(self, form_data: Mapping[str, Any]) -> dict[str, Any]:
        """Read a posted form into user_options, which are of now and not of an earlier start."""
        self._posted, self._linked = True, _NOTHING
        return options_form.user_options(form_data)

    def take_link(self, query: dict[str, list[bytes]]) -> None:
        """Take the form's fields out of a link's *query*: they preselect and start nothing.

        JupyterHub would start a server, by which other sites could start servers for a user.
        """
        fields = [name for name in query if options_form.is_field(name)]
        said = {n: [v.decode(errors="replace") for v in query.pop(n)] for n in fields}
        self._linked = options_form.user_options(said)

    # -- the start ----------------------------------------------------------------------------

    def take_consent(self, user_options: Mapping[str, Any]) -> dict[str, Any]:
        """Take the answer out of *user_options*: whether this start may go without the user's data.

        It is not saved with them: the next start asks anew. Raises UnknownProfile.
        """
        rest = dict(user_options)
        answer = rest.pop(DATA_OPTION, "")
        if answer not in ("", None, ELSEWHERE):
            raise UnknownProfile(
                f"{DATA_OPTION} can only be {ELSEWHERE!r}; leave it out to start where your data is"
            )
        self.agreed = answer == ELSEWHERE
        return rest

    @property
    def data_policy(self) -> offer.DataPolicy:
        """Where this start may go if the user has data, as far as the administrator says it.

        A profile's several clusters count though the user has picked one of them.
        """
        several = self._several or _are_several(self._spawner.candidates)
        return offer.data_policy(read(self._spawner, "data"), several=several)

    async def apply(self, user_options: Mapping[str, Any]) -> selection.Selection | None:
        """Set what the chosen profile and its options override; nothing if none are listed.

        Raises UnknownProfile for what does not exist, unless it was saved at an earlier start;
        NotAllowed; ConfigError.
        """
        saved = not self._posted and dict(user_options) == self._saved
        self._posted = False
        self.clear()
        listed = await self.listed()
        permitted = await self._permitted_for(listed, user_options.get("profile"))
        if not permitted:
            if user_options.get("profile") and not saved:
                selection.select([], user_options)  # which raises
            return None
        chosen = self._select(listed, permitted, user_options, saved)
        self.profile, self.options = chosen.profile.slug, chosen.options
        self.title, self.limits = chosen.profile.display_name, chosen.profile.limits
        self.notices = chosen.notices
        await self.overrides.apply(chosen.levels)
        self._several = any(_are_several(o.values.get("candidates") or ()) for o in chosen.levels)
        self.remember(user_options)
        return chosen

    @property
    def saved(self) -> dict[str, Any]:
        """The options that were valid when they were used last."""
        return dict(self._saved)

    def _select(
        self,
        listed: list[profile_list.Profile],
        permitted: list[profile_list.Profile],
        user_options: Mapping[str, Any],
        saved: bool,
    ) -> selection.Selection:
        try:
            return selection.select(permitted, user_options)
        except UnknownProfile as exc:
            if _exists(listed, user_options):
                name, chosen = self._spawner.user.name, _brief(user_options)
                raise NotAllowed(f"{name!r} may not use what was chosen: {chosen}") from exc
            if not saved:
                raise
        return selection.select(permitted, user_options, saved=True)

    async def _permitted_for(
        self, listed: list[profile_list.Profile], wanted: Any
    ) -> list[profile_list.Profile]:
        """Return the *wanted* profile if it may be had, and look at no other then; else all."""
        named = [profile for profile in listed if profile.slug == wanted]
        found = await offer.permitted(named, self._spawner, self._cluster_is_open)
        return found or await self._permitted(listed)

    async def _permitted(self, listed: list[profile_list.Profile]) -> list[profile_list.Profile]:
        permitted = await offer.permitted(listed, self._spawner, self._cluster_is_open)
        if listed and not permitted:
            raise NotAllowed(f"none of the profiles is open to {self._spawner.user.name!r}")
        return permitted

    # -- clusters -----------------------------------------------------------------------------

    async def check_cluster(self, cluster: Cluster) -> None:
        """Raise NotAllowed if the user may not use *cluster*."""
        if not await allowed(cluster.access, self._spawner, f"cluster {cluster.name!r}"):
            raise NotAllowed(f"{self._spawner.user.name!r} may not use cluster {cluster.name!r}")

    async def open_clusters(self, names: Sequence[str]) -> list[str]:
        """Return those of several *names* that the user may use. Raises NotAllowed if none is."""
        found = [name for name in names if await self._is_open(name)]
        if names and not found:
            raise NotAllowed(f"{self._spawner.user.name!r} may use none of {', '.join(names)}")
        return found

    async def _cluster_is_open(self, overrides: Mapping[str, Any]) -> bool:
        """Look at the clusters that *overrides* names: one is enough."""
        names = candidates.named(overrides)
        return not names or any([await self._is_open(name) for name in names])

    async def _is_open(self, name: str) -> bool:
        """Tell whether the user may use a cluster; what cannot be known waits for the start."""
        try:
            cluster = self._spawner.cluster_named(name)
        except ConfigError:
            return True
        return await allowed(cluster.access, self._spawner, f"cluster {name!r}")

    def _asks(self, homes: Sequence[str], overrides: Mapping[str, Any]) -> bool:
        """Whether a start with *overrides* may need the user's word to go without their data.

        Which objects a server has, and so whether it uses that data, is known only when it starts.
        """
        several = _are_several(overrides.get("candidates") or self._spawner.candidates)
        said = overrides.get("data", self._spawner.data)
        bound = offer.data_policy(said, several=several) == "ask"
        names = self._clusters_for(overrides)
        return bound and not (names and {*names} <= {*homes})

    def _unavailable(self, overrides: Mapping[str, Any]) -> str:
        """Say why there is no place for what names clusters, or leaves that to the hub."""
        names = self._clusters_for(overrides)
        return offer.joined([(name, self._unavailable_in(name)) for name in names])

    def _unavailable_in(self, name: str) -> str:
        if self._is_known(name):
            return self._spawner.unavailable(name)
        comes_and_goes = name and isinstance(self._spawner.known_clusters, Inventory)
        return "its cluster is not in service." if comes_and_goes else ""

    async def _with_news(self, permitted: list[profile_list.Profile]) -> list[profile_list.Profile]:
        """Write news of clusters beside what leads to one of them; "any" of several has none."""
        wanted = {self._place(*where) for where in offer.places(permitted)} - {("", None)}
        news = await self._spawner.news_of(wanted) if wanted else {}
        if not news:
            return permitted
        return offer.with_news(permitted, lambda *where: news.get(self._place(*where), ()))

    def _place(self, overrides: Mapping[str, Any] | None, limits: Limits) -> tuple[str, int | None]:
        names = [] if overrides is None else self._clusters_for(overrides)
        is_one = len(names) == 1 and self._is_known(names[0])
        return names[0] if is_one else "", limits.max_age

    def _clusters_for(self, overrides: Mapping[str, Any]) -> list[str]:
        """Name the clusters of a start with *overrides*, as far as that is known without a call."""
        spawner = self._spawner
        own = {way: getattr(spawner, way) for way in candidates.WAYS}
        return candidates.led_to(overrides, own, spawner.known_clusters)

    def _is_known(self, name: str) -> bool:
        return name in self._spawner.known_clusters or name.startswith(CONTEXT_PREFIX)


@lru_cache(maxsize=1000)  # so that each mistake is told once
def _tell(log: logging.Logger, mistake: str) -> None:
    log.error("A profile is left out, for everybody: %s", mistake)


@lru_cache(maxsize=1000)
def _note(log: logging.Logger, note: str) -> None:
    log.warning("%s", note)


def _are_several(said: Any) -> bool:
    return callable(said) or len(candidates.open_ones(said)) > 1


def _may_ask(profile: profile_list.Profile) -> bool:
    return profile.asks or any(c.asks for option in profile.options for c in option.choices)


def _exists(listed: list[profile_list.Profile], user_options: Mapping[str, Any]) -> bool:
    try:
        selection.select(listed, user_options)
    except MCKSError:
        return False
    return True


def _brief(user_options: Mapping[str, Any]) -> str:
    return ", ".join(f"{k}={v!r}" for k, v in user_options.items() if isinstance(v, str))[:300]
