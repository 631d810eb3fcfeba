"""Any cluster that a kubeconfig describes, or the one in which the hub runs.

Reading the files is in `mcks.backends.kubeconfig`; what a cloud does is in the cloud's backend.
"""

from __future__ import annotations

import asyncio
import base64
import os
from pathlib import Path, PurePosixPath, PureWindowsPath
from urllib.parse import quote, urlsplit

from traitlets import List, Unicode, Union

from mcks.auth.credential import Credential
from mcks.auth.service_account import REREAD_AFTER, InCluster, in_cluster, read_token
from mcks.backends.base import Backend, Endpoint
from mcks.backends.kubeconfig import Context, Entry, load
from mcks.errors import ConfigError, MCKSError


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
        [Unicode(), List(Unicode())],
        help="""
        The kubeconfig file or files.

        Unset, the files that ``$KUBECONFIG`` lists are used, else ``~/.kube/config``, else the
        cluster in which the hub itself runs. A string may list several files as ``$KUBECONFIG``
        does; the first of them to define a name wins. A kubeconfig is trusted: the hub's
        credential is sent to the server that it names.
        """,
    ).tag(config=True)

    max_age = REREAD_AFTER
    """A kubeconfig and its files are cheap to read; who changes them expects an effect."""

    async def endpoint(self) -> Endpoint:
        """Read the cluster's entry. Raises `ConfigError`."""
        return await asyncio.to_thread(self._read_endpoint)

    async def mint(self) -> Credential:
        """Read the user's entry and the files that it names. Raises `ConfigError`, `AuthError`."""
        chosen = await asyncio.to_thread(self._chosen)
        if isinstance(chosen, InCluster):
            return await read_token(chosen.token_file)
        if chosen.user is None:
            return Credential()
        token_file = chosen.user.path("tokenFile")
        if token_file is not None:
            return await read_token(token_file)
        return await asyncio.to_thread(_static_credential, chosen.user)

    def problems(self) -> list[str]:
        """Read all that `endpoint` and `mint` will need."""
        try:
            self._read_endpoint()
            chosen = self._chosen()
            if isinstance(chosen, Context) and chosen.user is not None:
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

    def identity(self) -> str:
        """Name the user entry."""
        try:
            chosen = self._chosen()
        except ConfigError:
            return ""
        if isinstance(chosen, InCluster):
            return "the hub's own ServiceAccount"
        return f"user {chosen.user.name!r}" if chosen.user else "anonymous"

    def _anonymous(self) -> bool:
        return True  # basic authentication, or kubectl's own "no user"

    def _chosen(self) -> Context | InCluster:
        explicit = self._explicit_files()
        if explicit:
            source = "trait kubeconfig"
            return self._context_of(explicit, source, skip_missing=len(explicit) > 1)
        listed = _split(os.environ.get("KUBECONFIG", ""))
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

    def _explicit_files(self) -> list[Path]:
        given = self.kubeconfig
        if isinstance(given, str):
            return _split(given)
        return [Path(path).expanduser() for path in given if path]

    def _context_of(self, files: list[Path], source: str, *, skip_missing: bool) -> Context:
        where = f"cluster {self.cluster_name!r}"
        try:
            merged = load(files, skip_missing=skip_missing)
        except ConfigError as exc:
            raise ConfigError(f"{where}: {exc}") from exc
        if not merged.files:
            tried = ", ".join(str(file) for file in files)
            raise ConfigError(f"{where}: no kubeconfig was found ({source}: {tried})")
        try:
            return merged.context(self.context)
        except ConfigError as exc:
            raise ConfigError(f"{where}: {exc}") from exc

    def _read_endpoint(self) -> Endpoint:
        chosen = self._chosen()
        if isinstance(chosen, InCluster):
            try:
                return Endpoint(chosen.server, ca_data=chosen.ca_file.read_bytes())
            except OSError as exc:
                raise ConfigError(f"{chosen.ca_file} cannot be read: {exc.strerror}") from exc
        try:
            return _endpoint(chosen)
        except ConfigError as exc:
            raise ConfigError(f"cluster {self.cluster_name!r}: {exc}") from exc


def _split(paths: str) -> list[Path]:
    return [Path(path).expanduser() for path in paths.split(os.pathsep) if path]


def _endpoint(context: Context) -> Endpoint:
    cluster = context.cluster
    server = cluster.text("server") or ""
    if urlsplit(server).scheme not in ("http", "https"):
        raise ConfigError(f"{cluster}.server must be an https URL")
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


def _proxy_url(cluster: Entry) -> str | None:
    proxy = cluster.text("proxy-url")
    if proxy is not None and urlsplit(proxy).scheme not in ("http", "https"):
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
    token = user.text("token")
    if not token and not user.text("tokenFile") and _basic(user) is None:
        _refuse_plugins(user)
    return Credential(
        token=token,
        client_certificate=None if certificate is None else certificate.decode("utf-8", "replace"),
        client_key=None if key is None else key.decode("utf-8", "replace"),
    )


def _refuse_plugins(user: Entry) -> None:
    """Token, token file and basic authentication win over both, as in kubectl."""
    exec_stanza, provider = user.mapping("exec"), user.mapping("auth-provider")
    if exec_stanza:
        command = str(exec_stanza.get("command", ""))
        name = PureWindowsPath(PurePosixPath(command).name).name or "(no command)"
        raise ConfigError(
            f"{user}: it logs in with the plug-in {name!r}, which mcks does not run. Use a "
            "ServiceAccount's token (token or tokenFile), or a client certificate"
        )
    if provider:
        raise ConfigError(
            f"{user}: the auth-provider {str(provider.get('name', ''))!r} is not served. Use a "
            "ServiceAccount's token (token or tokenFile), or a client certificate"
        )
