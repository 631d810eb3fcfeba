"""DigitalOcean Kubernetes: one call of its API gives endpoint, CA and a token.

Where the hub's API token comes from is in `mcks.auth.digitalocean`.
"""

from __future__ import annotations

import re
import time
from typing import Any

from traitlets import Unicode

from mcks.auth.credential import Credential
from mcks.backends.base import Backend, Endpoint
from mcks.backends.cloud_api import Refused
from mcks.backends.digitalocean_api import (
    API_URL,
    TOKEN_LIFE,
    ask,
    cluster_credentials,
    cluster_path,
    credential_in,
    decoded,
)
from mcks.backends.steps import FIND, LOG_IN, naming, of_cluster
from mcks.errors import ConfigError, MCKSError, Unauthorized

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_FRESH = 30.0
_PAGE = 200


class DOKSBackend(Backend):
    """A cluster of DigitalOcean Kubernetes."""

    cluster = Unicode(
        help="""
        The cluster's id or name.

        Prefer the id: names need the permission to list clusters, and two clusters may have the
        same one (which is an error).
        """
    ).tag(config=True)

    token_file = Unicode(
        help="""
        A file with a DigitalOcean API token, such as a mounted Secret.

        It is read again for each login, so a new token takes effect by itself. Unset, the
        environment's ``DIGITALOCEAN_ACCESS_TOKEN`` or ``DIGITALOCEAN_TOKEN`` is used.
        """
    ).tag(config=True)

    api_url = Unicode(
        API_URL,
        help="The DigitalOcean API. The hub's API token is sent there.",
    ).tag(config=True)

    renew_before = TOKEN_LIFE / 10

    _id = ""
    _unused: tuple[float, dict[str, Any]] | None = None

    def problems(self) -> list[str]:
        """Check that all is there that can be checked here."""
        found = [] if self.cluster else ["set cluster to the DOKS cluster's id or name"]
        return of_cluster(self.cluster_name, found)

    async def endpoint(self) -> Endpoint:
        """Ask for the cluster's credentials, which hold its endpoint."""
        answer = await self._credentials_now(FIND)
        # The token in it is good for the first login: asking twice would make two.
        self._unused = time.monotonic(), answer
        server = str(answer.get("server") or "")
        with naming(self._where()):
            ca_data = decoded(answer, "certificate_authority_data")
        if not server or ca_data is None:
            raise ConfigError(f"{self._where()}: it has no endpoint yet: is it being created?")
        return Endpoint(server, ca_data=ca_data)

    async def mint(self) -> Credential:
        """Ask for a token that lives for an hour."""
        unused, self._unused = self._unused, None
        if unused is not None and time.monotonic() - unused[0] < _FRESH:
            answer = unused[1]
        else:
            answer = await self._credentials_now(LOG_IN)
        with naming(self._where()):
            return credential_in(answer)

    async def explain(self, error: MCKSError) -> str:
        """Say what to look at."""
        if isinstance(error, Unauthorized):
            return (
                "The Kubernetes roles follow the API token's owner: look whether that account is "
                "still in the team, or make another token"
            )
        return ""

    def identity(self) -> str:
        """Say where the API token is from."""
        source = self.token_file or "the environment"
        return f"the owner of the DigitalOcean token in {source}"

    def _where(self) -> str:
        return f"cluster {self.cluster_name!r} (DOKS {self.cluster!r})"

    async def _credentials_now(self, step: str) -> dict[str, Any]:
        if not self.cluster:
            raise ConfigError(self.problems()[0])
        identity = await self._find_id()
        with naming(self._where(), step):
            try:
                return await cluster_credentials(
                    identity, token_file=self.token_file, api_url=self.api_url
                )
            except Refused as exc:
                self._id = ""
                await self._complain(exc, identity)
                raise

    async def _complain(self, refused: Refused, identity: str) -> None:
        """Raise `ConfigError` if it is the configuration's fault, or the cluster's."""
        if refused.status == 404:
            raise ConfigError(
                f"there is no such cluster: {refused.text}. Set cluster to the id of one that the "
                "token's team owns; a cluster made anew has another"
            ) from refused
        if refused.status == 403:
            await self._complain_about_sso(cluster_path(identity))

    async def _complain_about_sso(self, path: str) -> None:
        """Raise `ConfigError` if the cluster admits people only."""
        try:
            found = (await self._ask(path, {})).get("kubernetes_cluster") or {}
        except MCKSError:
            return
        if (found.get("sso") or {}).get("required"):
            raise ConfigError(
                "the cluster requires single sign-on, a login by browser, which a hub cannot do: "
                "switch off the requirement"
            )

    async def _find_id(self) -> str:
        if _UUID.fullmatch(self.cluster):
            return self.cluster
        if not self._id:
            named = [c for c in await self._clusters() if c.get("name") == self.cluster]
            if not named:
                raise ConfigError(
                    f"{self._where()}: no cluster has this name: set cluster to its id"
                )
            if len(named) > 1:
                ids = ", ".join(str(c["id"]) for c in named)
                raise ConfigError(f"{self._where()}: several have this name; use an id: {ids}")
            self._id = str(named[0]["id"])
        return self._id

    async def _clusters(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        page = 1
        while True:
            query = {"per_page": str(_PAGE), "page": str(page)}
            with naming(self._where(), FIND):
                answer = await self._ask("/v2/kubernetes/clusters", query)
            found += answer.get("kubernetes_clusters") or []
            if not ((answer.get("links") or {}).get("pages") or {}).get("next"):
                return found
            page += 1

    async def _ask(self, path: str, query: dict[str, str]) -> dict[str, Any]:
        return await ask(path, query, token_file=self.token_file, api_url=self.api_url)
