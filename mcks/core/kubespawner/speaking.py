"""Part of a spawner: it takes KubeSpawner's words from its configuration, profiles and hooks.

What the words mean does not belong here.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from functools import cache
from inspect import isawaitable
from pathlib import Path
from types import MappingProxyType
from typing import Any

from traitlets import Bool, TraitType, Unicode, default
from traitlets.config import Config
from traitlets.config.loader import DeferredConfig, LazyConfigValue

from mcks.core.administrator.lending import lendable, makes_defaults_of, read
from mcks.core.kubespawner import section
from mcks.core.kubespawner.fields import expand, expand_marked, expand_text, expand_word
from mcks.core.kubespawner.translation import Translation
from mcks.core.kubespawner.words import CALLED, UNSAID, WORDS, KubeSpawnerWords

_OWN_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
DEFAULTS = {"cmd": None, "image": "quay.io/jupyterhub/singleuser:latest"}
"""KubeSpawner's defaults of traits that mcks has as well."""
_LOWEST = "Configurable"
"""The section that every other stands above."""
_BELOW = "Spawner"
"""The section that ``c.KubeSpawner`` stands directly above."""


class SpeaksKubeSpawner(KubeSpawnerWords):
    """Takes KubeSpawner's words: from ``c.KubeSpawner`` if that is to be read, from profiles and
    hooks always."""

    user: Any
    name: str
    environment: dict[str, Any]
    read_kubespawner: bool
    _default_options_form: Callable[[], Any]

    cmd_as_args = Bool(help="Whether ``cmd`` is KubeSpawner's: arguments of the image's own.")
    pvc_name = Unicode(help="The claim's name at an earlier start.")
    claim_was_made = False
    named: Mapping[str, str] = MappingProxyType({})
    """The fields ``pod_name`` and ``namespace``, as soon as a start has found them."""

    @default("cmd_as_args")
    def _default_cmd_as_args(self) -> bool:
        return self.read_kubespawner

    # -- the section --------------------------------------------------------------------------

    def _find_my_config(self, cfg: Config) -> Config:
        """Merge the sections in their order, ``c.KubeSpawner`` directly above ``c.Spawner``."""
        said = section.counting(cfg)
        if not said and not section.is_read(cfg):
            return super()._find_my_config(cfg)  # type: ignore[misc,no-any-return]
        cls: Any = type(self)
        names = set(cls.class_trait_names(config=True))
        theirs = {n: v for n, v in said.items() if n in names}
        if theirs.get("cmd") == []:
            theirs["cmd"] = None  # both are the image's own
        large = lendable(cls, theirs)  # and therefore not copied for each spawner
        theirs = {n: v for n, v in theirs.items() if n not in large}
        joined = copy.copy(cfg)
        if section.is_read(cfg):
            joined[_LOWEST] = _merged(DEFAULTS, cfg.get(_LOWEST) or {})
        joined[_BELOW] = _merged(cfg.get(_BELOW) or {}, theirs)
        joined[_BELOW].update(large)
        found: Config = super()._find_my_config(joined)  # type: ignore[misc]
        return found

    def _load_config(self, cfg: Config, *args: Any, **kwargs: Any) -> None:
        super()._load_config(cfg, *args, **kwargs)  # type: ignore[misc]
        if not section.is_read(cfg):
            return
        for name, value in section.values(cfg).items():
            if name not in _words_of(type(self)):
                continue
            if isinstance(value, LazyConfigValue):
                value = value.get_value(getattr(self, name))  # noqa: PLW2901
            elif isinstance(value, DeferredConfig):
                value = value.get_value(self.traits()[name])  # noqa: PLW2901
            setattr(self, name, value if callable(value) else copy.deepcopy(value))

    @property
    def overridden(self) -> Collection[str]:
        """Names of the traits that a profile has set."""
        return ()

    # -- the words ----------------------------------------------------------------------------

    def words(self) -> dict[str, Any]:
        """Return the words that count: all of them, or those that a profile or a hook has said."""
        said = self._trait_values  # one look, not one for each word
        values = {name: said[name] for name in _words_of(type(self)) & said.keys()}
        if self.read_kubespawner:
            return UNSAID | values
        overridden = self.overridden
        return {
            name: value
            for name, value in values.items()
            if name in overridden or value != UNSAID[name]
        }

    def functions(self) -> dict[str, Any]:
        """Return the words that are functions, which have to be called with this spawner."""
        said = self._trait_values
        names = sorted(_words_of(type(self)) & CALLED & said.keys() | _called_unsaid(type(self)))
        values = {name: said[name] if name in said else getattr(self, name) for name in names}
        return {name: value for name, value in values.items() if callable(value)}

    def translation(self) -> Translation:
        """Return what the words make of this server's objects. Raises ConfigError."""
        user = self.user
        return Translation(
            self.words(),
            self.read_kubespawner,
            user_id=user.id,
            username=user.name,
            servername=self.name,
            hub_namespace=_own_namespace(),
            remembered=self._remembered_claim(),
        )

    def _remembered_claim(self) -> str:
        name = self._trait_values.get("pvc_name")  # which has no value before somebody says one
        return name if name and self.remember_pvc_name else ""

    def get_env(self) -> dict[str, Any]:
        """Return the environment; fields in what the administrator wrote are expanded.

        Without KubeSpawner's section only those of ``kubespawner_override`` are.
        """
        configured = self.environment
        if not (self.read_kubespawner or "environment" in self.overridden):
            return dict(super().get_env())  # type: ignore[misc]
        if self.read_kubespawner:
            self.environment = expand_word("environment", configured, self._fields())
        else:
            self.environment = expand_marked(configured, self._fields())
        try:
            return dict(super().get_env())  # type: ignore[misc]
        finally:
            self.environment = configured

    def expanded(self, value: Any) -> Any:
        """Return *value* with this server's fields in its texts. Raises ConfigError."""
        return expand(value, self._fields())

    def _fields(self) -> dict[str, str]:
        return {**self.translation().fields(), **self.named}

    # -- what KubeSpawner's hooks use ---------------------------------------------------------

    def pod_hook(self, name: str) -> Any:
        """Return the function that is the word *name*, None if nobody has said it."""
        return read(self, name) if name in _words_of(type(self)) else None

    def _expand_user_properties(self, template: str, slug_scheme: str | None = None) -> str:
        """KubeSpawner's name for ``expanded``, which hooks call though it is private."""
        translation = self.translation()
        if slug_scheme is not None:
            words = {**translation.words, "slug_scheme": slug_scheme}
            translation = replace(translation, words=words)
        return expand_text(template, {**translation.fields(), **self.named})

    def _expand_all(self, value: Any) -> Any:
        """KubeSpawner's name for ``expanded`` of all texts in *value*."""
        return self.expanded(value)

    def _options_form_default(self) -> Any:
        """KubeSpawner's name for the form of ``profile_list``: an administrator's ``options_form``
        sets that list, and returns this."""
        return self._default_options_form()

    async def get_options_form(self) -> Any:
        """Return the form; what gives it may itself be what a function has given."""
        form = await super().get_options_form()  # type: ignore[misc]
        if callable(form):
            form = form(self)
        return await form if isawaitable(form) else form

    # -- the hub restarts ---------------------------------------------------------------------

    def get_state(self) -> dict[str, Any]:
        """Return the claim's name as KubeSpawner saves it, once there is such a claim."""
        claim = {"pvc_name": self.pvc_name} if self.claim_was_made else {}
        return {**super().get_state(), **claim}  # type: ignore[misc]

    def load_state(self, saved: dict[str, Any]) -> None:
        """Take back the claim's name, KubeSpawner's own state included."""
        super().load_state(saved)  # type: ignore[misc]
        if name := saved.get("pvc_name"):
            self.pvc_name, self.claim_was_made = name, True

    def clear_state(self) -> None:
        """Forget the server; a claim's name that no start has made is none to remember."""
        super().clear_state()  # type: ignore[misc]
        if not self.claim_was_made:
            self.pvc_name = ""

    def remember_claim(self) -> None:
        """Remember the claim's name after a start that made it."""
        if self.storage_pvc_ensure:
            self.pvc_name = self.translation().fields()["pvc_name"]
            self.claim_was_made = True


@cache
def _words_of(spawner_class: type) -> frozenset[str]:
    """The words that are no attribute which a subclass has for something else."""
    return frozenset(n for n in WORDS if isinstance(getattr(spawner_class, n), TraitType))


@cache
def _called_unsaid(spawner_class: type) -> frozenset[str]:
    """Those of the words that may be functions, though nobody has said any: by a subclass."""
    made = makes_defaults_of(spawner_class)
    return frozenset(
        name
        for name in _words_of(spawner_class) & CALLED
        if name in made or getattr(spawner_class, name) is not getattr(KubeSpawnerWords, name)
    )


def _merged(*sections: Mapping[str, Any]) -> Config:
    """Join *sections*, lowest first, as traitlets joins those of one object."""
    joined = Config()
    for said in sections:
        joined.merge(copy.deepcopy(Config(said)))
    return joined


@cache
def _own_namespace() -> str:
    """The hub's namespace, if it runs in a Pod."""
    try:
        return _OWN_NAMESPACE.read_text().strip()
    except OSError:
        return "default"
