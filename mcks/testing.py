# ruff: noqa: S101 - these are tests
"""BackendContract: the tests that every backend passes, ours and those of other packages.

Needs pytest and pytest-asyncio. Tests of one cloud's own behaviour do not belong here.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from typing import Any
from urllib.parse import urlsplit

import pytest
from traitlets.config import Config

from mcks.auth.credential import Credential
from mcks.backends.base import Backend, Endpoint
from mcks.core.api.client import ClusterClient
from mcks.core.api.transport import Transport
from mcks.core.clusters.cluster import Cluster
from mcks.errors import ConfigError, MCKSError, Unreachable


class BackendContract:
    """Inherit from it in a class ``Test...`` and say what to test.

    `settings` are a cluster's settings with which the backend works *in this test*, usually
    against a server on loopback that plays the cloud; make it a fixture if they depend on one.
    `broken_settings` are settings that an administrator could write by mistake, each of which
    `Backend.problems` must notice; there must be one at least.
    """

    backend: type[Backend]
    broken_settings: tuple[dict[str, Any], ...] = ()

    @pytest.fixture
    def settings(self) -> dict[str, Any]:
        """Override it: the settings of a cluster that works."""
        raise NotImplementedError

    def make(self, settings: dict[str, Any], **more: Any) -> Backend:
        """Make the backend as the hub makes it."""
        given: dict[str, Any] = {"config": Config(), "log": logging.getLogger("contract")}
        return self.backend(cluster_name="contract", **(given | settings | more))

    def test_every_setting_has_a_help_text(self) -> None:
        """It is what an administrator reads."""
        assert self.backend.settings()
        for name, text in self.backend.settings().items():
            assert text.strip(), f"the trait {name} has no help text"

    def test_no_setting_shadows_one_of_every_cluster(self) -> None:
        """An entry of ``clusters`` holds both kinds, so their names must differ."""
        ours = set(Cluster.class_trait_names(config=True)) - {"log"}
        assert not ours & set(self.backend.settings())

    def test_unknown_settings_are_refused(self, settings: dict[str, Any]) -> None:
        """A misspelt name must not pass in silence."""
        with pytest.raises(ConfigError, match="no_such_setting"):
            self.make(settings, no_such_setting=1)

    def test_class_wide_defaults_are_taken_from_the_configuration(
        self, settings: dict[str, Any]
    ) -> None:
        """``c.ThisBackend.setting`` is a default for all clusters of this kind."""
        config = Config()
        config[self.backend.__name__] = Config(settings)
        backend = self.backend(cluster_name="contract", config=config)
        for name, value in settings.items():
            assert getattr(backend, name) == value

    def test_good_settings_have_no_problems(self, settings: dict[str, Any]) -> None:
        """`problems` is asked without a network, too."""
        assert self.make(settings).problems() == []

    async def test_mistakes_are_told_offline_and_raise_config_errors(
        self, settings: dict[str, Any]
    ) -> None:
        """Each names the cluster."""
        assert self.broken_settings, (
            f"{type(self).__name__}.broken_settings is empty, so nothing shows that the backend "
            "notices a mistake. List changes to `settings` that an administrator could make by "
            f'mistake, such as broken_settings = ({{"{next(iter(settings), "cluster")}": ""}},)'
        )
        for change in self.broken_settings:
            backend = self.make(settings | change)
            problems = backend.problems()
            assert problems, f"no problem found with {change}"
            assert all("contract" in problem for problem in problems)
            with pytest.raises(ConfigError):
                await backend.endpoint()
            await backend.close()

    async def test_an_endpoint_is_found(self, settings: dict[str, Any]) -> None:
        """Again and again, and the same."""
        backend = self.make(settings)
        first, second = await backend.endpoint(), await backend.endpoint()
        assert isinstance(first, Endpoint)
        assert urlsplit(first.server).scheme == "https"
        assert first.server == second.server
        await backend.close()

    async def test_a_credential_is_made_anew_each_time(self, settings: dict[str, Any]) -> None:
        """`mint` keeps nothing: after a 401 the hub needs another credential."""
        backend = self.make(settings)
        first, second = await backend.mint(), await backend.mint()
        assert isinstance(first, Credential)
        assert first is not second
        await backend.close()

    async def test_fifty_logins_at_once_make_one_credential(self, settings: dict[str, Any]) -> None:
        """The shared cache is in use."""
        backend = self.make(settings)
        found = await asyncio.gather(*(backend.credentials.get() for _ in range(50)))
        assert len({id(credential) for credential in found}) == 1
        await backend.close()

    async def test_a_client_connects_and_speaks_with_the_cluster(
        self, settings: dict[str, Any]
    ) -> None:
        """Any answer of the API server will do, a refusal as well."""
        backend = self.make(settings)
        client = ClusterClient(await Transport.of(backend))
        try:
            await client.raw_get("/version")
        except Unreachable:
            raise
        except MCKSError:
            pass
        finally:
            await client.close()
            await backend.close()

    async def test_no_secret_is_shown_or_logged(
        self, settings: dict[str, Any], caplog: pytest.LogCaptureFixture
    ) -> None:
        """Not in a repr, and not in the log at DEBUG."""
        caplog.set_level(logging.DEBUG)
        backend = self.make(settings)
        api = await backend.connect()
        credential = await backend.credentials.get()
        endpoint = await backend.endpoint()
        shown = repr([credential, endpoint, backend, backend.identity()]) + caplog.text
        secrets = [credential.token, credential.client_key]
        secrets += [value for name, value in endpoint.headers if name == "Authorization"]
        assert not any(secret and secret in shown for secret in secrets)
        await api.close()
        await backend.close()

    def test_the_steps_are_coroutines_and_the_hints_are_not(self) -> None:
        """The hub awaits the first and needs the others at once."""
        for name in ("endpoint", "mint", "connect", "explain", "renew_trust", "close"):
            assert inspect.iscoroutinefunction(getattr(self.backend, name)), name
        for name in ("problems", "namespace_hint", "is_hubs_own", "identity"):
            assert not inspect.iscoroutinefunction(getattr(self.backend, name)), name

    async def test_closing_twice_is_fine(self, settings: dict[str, Any]) -> None:
        """Also before anything was asked."""
        backend = self.make(settings)
        await backend.close()
        await backend.close()
