"""Any cluster that a kubeconfig describes, or the one in which the hub runs.

Reading the files is in `mcks.backends.kubeconfig`; what a cloud does is in the cloud's backend.
"""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote

from traitlets import Dict, List, Unicode, Union

from mcks.auth.credential import Credential, CredentialCache
from mcks.auth.exec_plugin import Plugin, run
from mcks.auth.service_account import REREAD_AFTER, InCluster, in_cluster, read_token
from mcks.auth.shared import SharedLogin
from mcks.auth.threads import in_thread
from mcks.backends import pem
from mcks.backends.base import Backend, Endpoint
from mcks.backends.kubeconfig import Context, Entry, Kubeconfig, load, of_document, paths
from mcks.backends.kubeconfig_edits import Chosen, is_edited
from mcks.backends.native import NativeLogIn
from mcks.backends.plugin_stanza import may_run, plugin_of
from mcks.backends.proxy import speaks_http
from mcks.backends.stanzas import recognise
from mcks.backends.steps import naming
from mcks.backends.tls import plain_http
from mcks.errors import AuthError, ConfigError, MCKSError

if TYPE_CHECKING:
    from kubernetes_asyncio.client import ApiClient

_T = TypeVar("_T")
_LOGINS = (
    *("token", "tokenFile", "username", "password", "exec", "auth-provider"),
    *("client-certificate", "client-certificate-data"),
)
"""Keys of a user entry that say how to log in, other than impersonation."""
_CONNECT_GATEWAY = re.compile(r"^https://([\w-]+-)?connectgateway\.googleapis\.com(/|$)")


class GenericKubeconfigBackend(Backend):
    """A context of a kubeconfig file, as kubectl would use it, without kubectl."""

    context = Unicode(
        help="""
        The kubeconfig context to use.

        Unset, the file's ``current-context`` is used; better name it, because tools change the
        current context behind your back. Inside a cluster without any kubeconfig leave it unset.
        """,
    ).tag(config=True)

    kubeconfig = Union(
        [Unicode(), List(Unicode()), Dict()],
        help="""
        The kubeconfig file or files, or what would be in one, as a dict.

        Unset, the files that ``$KUBECONFIG`` lists are used, else ``~/.kube/config``, else the
        cluster in which the hub itself runs. A string may list several files as ``$KUBECONFIG``
        does; the first of them to define a name wins. A kubeconfig is trusted: the hub's
        credential is sent to the server that it names.
        """,
    ).tag(config=True)

    allowed_exec_plugins = List(
        Unicode(),
        help="""
        Commands that may be run to log in: absolute paths, as the kubeconfig has them.

        Empty by default: no program is run. The plug-ins of the big clouds need none, mcks logs in
        for them; one that is listed here is run where mcks cannot do what its arguments say.
        Whoever can write the kubeconfig can run these commands as the hub.
        """,
    ).tag(config=True)

    _warned = False
    _connected_as: Chosen | None = None
    """The entry that the client was made for: no other gives it an endpoint or a credential."""

    async def connect(self) -> ApiClient:
        """Read the entry, then log in and make the client for just that."""
        chosen = await self._read(self._chosen)
        if self._connected_as is not None and is_edited(self._connected_as, chosen):
            await self._give_back_credentials()
        self._connected_as = chosen
        return await super().connect()

    async def outdated(self) -> bool:
        """Say whether the entry was edited since `connect`: another server, CA, way to log in."""
        try:
            chosen = await self._read(self._chosen)
        except ConfigError:
            return False
        return self._connected_as is not None and is_edited(self._connected_as, chosen)

    async def endpoint(self) -> Endpoint:
        """Read the cluster's entry. Raises `ConfigError`."""
        return await self._read(lambda: self._endpoint_of(self._entry()))

    async def mint(self) -> Credential:
        """Read the user's entry and the files that it names. Raises `ConfigError`, `AuthError`."""
        chosen = await self._read(self._entry)
        with self._naming_the_cluster():
            if isinstance(chosen, InCluster):
                return await read_token(chosen.token_file)
            if chosen.user is None:
                return Credential()
            token_file = chosen.user.path("tokenFile")
            if token_file is not None:
                return await read_token(token_file)
            source = self._source(chosen)
            if source is None:
                return await self._read(partial(_static_credential, chosen.user))
            if isinstance(source, Plugin):
                return await run(source)
            return await source.mint()

    @property
    def credentials(self) -> CredentialCache:
        """The cache over `mint`, or that of the cloud's log-in; tells once as whom it logs in."""
        if self._cache is None:
            self._warn_once(self._known_source())
        return super().credentials

    def renewal(self) -> tuple[float, float | None]:
        """Files are cheap to read: whoever changes them expects an effect. Clouds have rules."""
        source = self._known_source()
        if source is None:
            return self.renew_before, REREAD_AFTER
        return (self.renew_before, None) if isinstance(source, Plugin) else source.renewal()

    def credential_key(self) -> SharedLogin | None:
        """Share the tokens of clouds where one serves several clusters."""
        source = self._known_source()
        return None if source is None or isinstance(source, Plugin) else source.credential_key()

    def problems(self) -> list[str]:
        """Read all that `endpoint` and `mint` will need."""
        try:
            chosen = self._chosen()
            self._endpoint_of(chosen)
            if isinstance(chosen, Context) and chosen.user is not None:
                with self._naming_the_cluster():
                    self._source(chosen)
                    _static_credential(chosen.user)
        except MCKSError as exc:
            return [str(exc)]
        return []

    def namespace_hint(self) -> str | None:
        """Give the context's namespace, or the hub's own inside a cluster."""
        try:
            return self._chosen().namespace
        except ConfigError:
            return None

    def is_hubs_own(self) -> bool:
        """Say whether no kubeconfig is used, but what Kubernetes gives to the hub's Pod."""
        if in_cluster() is None:
            return False
        try:
            return isinstance(self._chosen(), InCluster)
        except ConfigError:
            return False

    def identity(self) -> str:
        """Name the user entry."""
        try:
            chosen = self._chosen()
        except ConfigError:
            return ""
        if isinstance(chosen, InCluster):
            return "the hub's own ServiceAccount"
        if chosen.user is None:
            return "anonymous"
        source = self._known_source()
        if source is None or isinstance(source, Plugin):
            return f"user {chosen.user.name!r}"
        return source.identity()

    def _anonymous(self) -> bool:
        return True  # basic authentication, or kubectl's own "no user"

    def _naming_the_cluster(self) -> AbstractContextManager[None]:
        return naming(f"cluster {self.cluster_name!r}")

    def _source(self, context: Context) -> NativeLogIn | Plugin | None:
        """Give what makes the credential, unless the user's entry holds it.

        Token, token file and basic authentication win over plug-ins, as in kubectl. A known
        plug-in is run only if it asks for what mcks cannot do itself.
        """
        user = context.user
        if user is None or user.text("token") or user.text("tokenFile") or _basic(user):
            return None
        try:
            native = recognise(user)
        except ConfigError:
            if not may_run(user, self.allowed_exec_plugins):
                raise
            native = None
        if native is not None:
            return native
        if user.mapping("exec"):
            return plugin_of(user, context.cluster, self.allowed_exec_plugins)
        provider = user.mapping("auth-provider")
        if provider:
            raise ConfigError(
                f"{user}: the auth-provider {str(provider.get('name', ''))!r} is not served. Use a "
                "ServiceAccount's token (token or tokenFile), or a client certificate"
            )
        return None

    def _known_source(self) -> NativeLogIn | Plugin | None:
        """As `_source`, but without errors: those are for `mint`."""
        try:
            chosen = self._connected_as or self._chosen()
            return None if isinstance(chosen, InCluster) else self._source(chosen)
        except ConfigError:
            return None

    def _warn_once(self, source: NativeLogIn | Plugin | None) -> None:
        if source is None or isinstance(source, Plugin):
            return
        if source.warning and not self._warned:
            self._warned = True
            self.log.warning("cluster %r: %s", self.cluster_name, source.warning)

    async def _read(self, work: Callable[[], _T]) -> _T:
        """Do *work*, which reads files; they may be on a network share that has gone away."""
        return await in_thread("files", self.cluster_name, work)

    def _entry(self) -> Chosen:
        """Read the entry again, for rotated credentials; an edited one is not taken."""
        chosen = self._chosen()
        if self._connected_as is None:
            return chosen
        if not is_edited(self._connected_as, chosen):
            self._connected_as = chosen
        return self._connected_as

    def _chosen(self) -> Chosen:
        given = self.kubeconfig
        if isinstance(given, dict) and given:
            return self._context_in(lambda: of_document(given, "the dict kubeconfig"))
        explicit = paths(given or "")
        if explicit:
            source = "trait kubeconfig"
            return self._context_of(explicit, source, skip_missing=len(explicit) > 1)
        listed = paths(os.environ.get("KUBECONFIG", ""))
        if listed:
            return self._context_of(listed, "environment KUBECONFIG", skip_missing=True)
        default = Path("~/.kube/config").expanduser()
        inside = in_cluster()
        if inside is not None and not default.exists():
            if self.context:
                raise ConfigError(
                    f"cluster {self.cluster_name!r}: context {self.context!r} was asked for, but "
                    f"there is no kubeconfig: KUBECONFIG is not set and {default} does not exist. "
                    "Leave context unset to use the cluster in which the hub runs"
                )
            return inside
        return self._context_of([default], "KUBECONFIG is not set; default", skip_missing=True)

    def _context_of(self, files: list[Path], source: str, *, skip_missing: bool) -> Context:
        where = f"cluster {self.cluster_name!r}"
        with naming(where):
            merged = load(files, skip_missing=skip_missing)
        if not merged.files:
            tried = ", ".join(str(file) for file in files)
            own = "The hub's own cluster needs none: check its entry in the hub's Pod"
            raise ConfigError(f"{where}: no kubeconfig was found ({source}: {tried}). {own}")
        return self._context_in(lambda: merged)

    def _context_in(self, read: Callable[[], Kubeconfig]) -> Context:
        with self._naming_the_cluster():
            return read().context(self.context)

    def _endpoint_of(self, chosen: Chosen) -> Endpoint:
        if isinstance(chosen, InCluster):
            try:
                return Endpoint(chosen.server, ca_data=chosen.ca_file.read_bytes())
            except OSError as exc:
                raise ConfigError(f"{chosen.ca_file} cannot be read: {exc.strerror}") from exc
        with self._naming_the_cluster():
            return _endpoint(chosen)


def _endpoint(context: Context) -> Endpoint:
    cluster = context.cluster
    server = cluster.text("server") or ""
    if _CONNECT_GATEWAY.search(server):
        raise ConfigError(
            f"{cluster}.server: the Connect Gateway is not served: it allows ten open streams for "
            "a whole fleet project, and mcks keeps one open per cluster. Use the DNS endpoint"
        )
    scheme = server.partition("://")[0].lower()
    if scheme not in ("http", "https"):
        raise ConfigError(f"{cluster}.server must be an https URL")
    if scheme == "http" and context.user is not None:
        _refuse_login(cluster, context.user)
    insecure = cluster.flag("insecure-skip-tls-verify")
    ca_data = cluster.data("certificate-authority")
    if insecure and ca_data is not None:
        raise ConfigError(f"{cluster}: insecure-skip-tls-verify and a CA exclude each other")
    return Endpoint(
        server=server,
        ca_data=ca_data,
        tls_server_name=cluster.text("tls-server-name"),
        insecure_skip_tls_verify=insecure,
        proxy_url=_proxy_url(cluster),
        headers=() if context.user is None else _headers(context.user),
    )


def _refuse_login(cluster: Entry, user: Entry) -> None:
    """Raise for a *user* that would log in to a *cluster* without TLS, before it has done so."""
    for name in _LOGINS:
        if user.fields.get(name):
            raise ConfigError(plain_http(f"{cluster}.server", f"{name} in {user}"))


def _proxy_url(cluster: Entry) -> str | None:
    proxy = cluster.text("proxy-url")
    if proxy is not None and not speaks_http(proxy):
        raise ConfigError(f"{cluster}.proxy-url must be an http or https URL")
    return proxy


def _headers(user: Entry) -> tuple[tuple[str, str], ...]:
    """Impersonation, and basic authentication where neither token nor certificate is given."""
    headers = []
    impersonated = user.text("as")
    groups, uid, extra = user.texts("as-groups"), user.text("as-uid"), user.mapping("as-user-extra")
    if impersonated:
        headers.append(("Impersonate-User", impersonated))
    elif groups or uid or extra:
        raise ConfigError(f"{user}: as-groups, as-uid and as-user-extra need as")
    headers += [("Impersonate-Group", group) for group in groups]
    if uid:
        headers.append(("Impersonate-Uid", uid))
    for key, values in extra.items():
        name = f"Impersonate-Extra-{quote(str(key), safe='')}"
        headers += [(name, str(value)) for value in values]
    for name, value in headers:
        if not value.isprintable():
            raise ConfigError(f"{user}: what {name} is made of holds a line break or the like")
    basic = _basic(user)
    return (*headers, ("Authorization", basic)) if basic else tuple(headers)


def _basic(user: Entry) -> str | None:
    name, password = user.text("username"), user.text("password")
    if name is None and password is None:
        return None
    if user.text("token") or user.text("tokenFile"):
        raise ConfigError(f"{user}: token and username exclude each other: take one out")
    pair = base64.b64encode(f"{name or ''}:{password or ''}".encode()).decode()
    return f"Basic {pair}"


def _static_credential(user: Entry) -> Credential:
    certificate, key = user.data("client-certificate"), user.data("client-key")
    if (certificate is None) != (key is None):
        raise ConfigError(f"{user}: client-certificate and client-key are needed both, or none")
    try:
        return pem.credential(user.text("token"), certificate, key)
    except AuthError as exc:
        raise ConfigError(f"{user}.token: {exc}") from None
