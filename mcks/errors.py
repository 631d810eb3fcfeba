"""Every error that mcks raises. How an error is shown (pages, exit codes) does not belong here.

    MCKSError                    jupyterhub_message: what the user sees
    ├─ ConfigError               the administrator must change something; what and where
    │  ├─ UnknownBackend UnknownCluster                  each lists the names it may show
    │  ├─ MissingDependency      names the extra to install
    │  ├─ BadTemplate            a template cannot be rendered: key, line, remedy
    │  ├─ BadPatch               a patch cannot be applied: key, path, remedy
    │  │  └─ NoTarget            the object that it is for is not there
    │  ├─ HasMistakes            a configuration that checks itself has some
    │  └─ BrokenFile             a configuration is no Python, or raised: file and line
    ├─ FunctionFailed            a function of the administrator raised; which, and where
    ├─ ChoiceRefused             the user must choose otherwise; nobody has to look into a log
    │  ├─ UnknownProfile         there is no such profile, option or choice: lists what there is
    │  ├─ NotAllowed             this user may not use this profile, choice or cluster
    │  ├─ Drained                the cluster takes no new servers: an administrator says so
    │  ├─ DataElsewhere          their data is in another cluster: says where, and what to do
    │  ├─ Full                   a limit of the cluster or profile is reached
    │  └─ Refused                a function of the administrator says no, in a sentence
    ├─ AuthError                 a cloud would not give a credential
    ├─ Unreachable               no HTTP answer: name resolution, TLS, time-out
    │  └─ Unavailable            not even asked: it did not answer a moment ago
    ├─ APIError                  Kubernetes answered no
    │  └─ Unauthorized Forbidden NotFound Conflict Invalid TooManyRequests Gone ServerError
    ├─ StartFailed               the pod cannot start
    ├─ NoneWorked                a start failed in each of several clusters
    └─ Defect                    what mcks did not expect

Errors of SDKs and of aiohttp never cross a module's seam: ``raise ... from exc``.
A class exists only where someone catches it or shows it differently.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches

ASK_ADMINISTRATORS = "Please tell the administrators of this hub."


class MCKSError(Exception):
    """The root: ``except MCKSError`` catches all that mcks raises on purpose."""

    user_message = f"Your server could not be started. {ASK_ADMINISTRATORS}"
    """What the user reads; empty: the text itself."""
    retry_after: float | None = None
    """Seconds that whoever refused asked to wait before the next try, or None."""
    elsewhere = False
    """Whether another cluster may have what this one lacks, so that a start may go on there."""

    @property
    def jupyterhub_message(self) -> str:
        """One plain sentence for the user; JupyterHub shows it on the error page."""
        return self.user_message or str(self)


class ConfigError(MCKSError):
    """The administrator must change something. The text says where, what, and what instead."""

    user_message = (
        "This hub's configuration has a mistake, so your server was not started. "
        + ASK_ADMINISTRATORS
    )
    code = ""
    """That of a check which tells just this mistake; empty if it depends on where it was met."""

    def __init__(self, *args: object, code: str = "") -> None:
        super().__init__(*args)
        self.code = code or self.code


_FEW = 15
"""Names that a sentence may list; of more, only the near ones help."""


def unknown(what: str, name: str, known: Iterable[str]) -> str:
    """Say that *name* is not one of the *known* ones, nearest first: the text of many errors.

    >>> unknown("cluster", "gcp-uss", ["aws", "gcp-us"])
    "unknown cluster 'gcp-uss'. Did you mean 'gcp-us'? Known: aws, gcp-us"
    """
    names = sorted(known)
    near = get_close_matches(name, names, n=2)
    hint = " Did you mean " + " or ".join(repr(n) for n in near) + "?" if near else ""
    if near and len(names) > _FEW:
        return f"unknown {what} {name!r}.{hint}"
    more = f" and {len(names) - _FEW} more" if len(names) > _FEW else ""
    return f"unknown {what} {name!r}.{hint} Known: {', '.join(names[:_FEW]) or '(none)'}{more}"


_SECRET = frozenset({"args", "cmd", "environment"})
"""Traits whose values may hold secrets."""
_LONG = frozenset({"dict", "list", "set", "tuple"})


def without_value(error: Exception) -> str:
    """Say what traitlets says of a wrong value, without a value that may hold a secret.

    >>> without_value(ValueError("The 'args' trait of x expected a list, not the str 'PASS=x'."))
    "The 'args' trait of x expected a list, not the str."
    """
    said, found, rest = str(error).partition(" not the ")
    kind = rest.partition(" ")[0]
    if found and (kind in _LONG or any(f"'{name}' trait" in said for name in _SECRET)):
        return f"{said}{found}{kind}."
    return str(error)


class UnknownBackend(ConfigError):
    """No entry point of the group ``mcks.backends`` has this name."""

    code = "MCKS103"


class UnknownCluster(ConfigError):
    """A profile, trait or saved state names a cluster that is not configured."""

    code = "MCKS126"
    elsewhere = True


class MissingDependency(ConfigError):
    """A backend's SDK is not installed; the text names the extra that brings it."""

    code = "MCKS103"


class BadTemplate(ConfigError):
    """A template cannot be rendered. *key* is its name in the configuration, *line* is 1-based."""

    code = "MCKS130"

    def __init__(self, message: str, *, key: str = "", line: int | None = None) -> None:
        self.message, self.key, self.line = message, key, line
        where = f"template {key!r}" if key else "template"
        where += f", line {line}" if line else ""
        super().__init__(f"{where}: {message}")


class BadPatch(ConfigError):
    """A patch cannot be applied. *key* is its name in the configuration, *path* the field's."""

    code = "MCKS131"

    def __init__(self, message: str, *, key: str = "", path: str = "") -> None:
        self.message, self.key, self.path = message, key, path
        where = f"patch {key!r}" if key else "patch"
        where += f" at {path}" if path else ""
        super().__init__(f"{where}: {message}")


class NoTarget(BadPatch):
    """No object is there for a patch; that of a template with a mistake may be meant."""


class HasMistakes(ConfigError):
    """A configuration whose last line checks it: all its mistakes, one a line."""


class BrokenFile(ConfigError):
    """The configuration is no Python, or raised: *what*, in which *file*, *line* and *source*."""

    def __init__(
        self, what: str, *, file: str, line: int | None = None, source: str = "", code: str = ""
    ) -> None:
        self.what, self.file, self.line, self.source = what, file, line, source
        where = f"{file}, line {line}" if line else file
        super().__init__(f"{where}: {what}" + (f"\n    {source}" if source else ""), code=code)


Tell = Callable[[ConfigError], None]
"""What is done with a mistake: a start raises it, a check keeps it and goes on."""


def at_once(mistake: ConfigError) -> None:
    """Raise *mistake*: what a start does."""
    raise mistake


class FunctionFailed(MCKSError):
    """A function of the administrator raised: which setting, function, exception and line.

    The exception's words may be about anything, so they are for the log and not for the user.
    """

    reason = "function-failed"


class ChoiceRefused(MCKSError):
    """What the user chose cannot be had: they choose otherwise, and no administrator is needed."""


class UnknownProfile(ChoiceRefused):
    """The chosen profile, option or choice does not exist, or a written value is not valid.

    The text lists what there is, and is shown to the user as it is.
    """

    user_message = ""


class NotAllowed(ChoiceRefused):
    """This user may not use this profile, choice or cluster."""

    user_message = "You may not use this profile. Choose another one, or ask for access."
    reason = "not-allowed"


class Drained(ChoiceRefused):
    """An administrator has drained the cluster: no new servers start there. *reason* is theirs."""

    reason = "drained"
    elsewhere = True

    def __init__(self, cluster: str, why: str = "") -> None:
        told = "The chosen cluster takes no new servers at the moment."
        self.user_message = f"{told} {why}".rstrip()
        super().__init__(f"cluster {cluster!r} is drained. {why}".rstrip())


class DataElsewhere(ChoiceRefused):
    """The user's data is in other clusters than the one to start in.

    *may_agree*: a start without it is possible if the user says so.
    """

    reason = "data-elsewhere"
    user_message = ""

    def __init__(self, message: str, *, may_agree: bool = False) -> None:
        self.may_agree = may_agree
        super().__init__(message)


class Full(ChoiceRefused):
    """A limit is reached: *user_message* says which, of what, and what to do.

    *elsewhere*: whether another cluster may take the server; not if the limit is a profile's.
    """

    reason = "full"

    def __init__(self, user_message: str, *, details: str = "", elsewhere: bool = True) -> None:
        self.user_message, self.elsewhere = user_message, elsewhere
        super().__init__(f"{user_message} {details}".rstrip())


class Refused(ChoiceRefused):
    """A function of the administrator, such as ``quota``, refuses a start with this *sentence*.

    *elsewhere*: whether the start may go on in another cluster.
    """

    reason = "refused"
    user_message = ""

    def __init__(self, sentence: str, *, elsewhere: bool = False) -> None:
        self.elsewhere = elsewhere
        super().__init__(sentence)


class AuthError(MCKSError):
    """A cloud would not give a credential: cloud, identity, the cloud's own words, no secrets."""

    elsewhere = True
    user_message = f"The hub could not log in to the chosen cluster. {ASK_ADMINISTRATORS}"


class Unreachable(MCKSError):
    """No HTTP answer came: name resolution, connection, TLS or time-out."""

    elsewhere = True
    user_message = "The chosen cluster does not answer at the moment. Try again in some minutes."


class Unavailable(Unreachable):
    """The cluster is not asked at present, because of *cause*, which was met several times."""

    reason = "cluster-unavailable"

    def __init__(self, cluster: str, cause: MCKSError) -> None:
        self.user_message = cause.jupyterhub_message
        super().__init__(f"cluster {cluster!r} is left alone for some seconds: {cause}")


class APIError(MCKSError):
    """Kubernetes answered no. *status* is the HTTP status, *reason* that of the Status object."""

    user_message = f"The chosen cluster refused to start your server. {ASK_ADMINISTRATORS}"

    def __init__(
        self, message: str, *, status: int = 0, reason: str = "", retry_after: float | None = None
    ) -> None:
        self.status, self.reason = status, reason
        self.retry_after = retry_after
        super().__init__(message)


class Unauthorized(APIError):
    """401: the credential is not, or no longer, accepted."""

    elsewhere = True


class Forbidden(APIError):
    """403: the hub's identity may not do this. A new credential would not help."""


class NotFound(APIError):
    """404: there is no such object, or no such kind."""


class Conflict(APIError):
    """409: exists already, or has changed meanwhile."""


class Invalid(APIError):
    """400 or 422: the object itself is wrong."""


class TooManyRequests(APIError):
    """429: wait ``retry_after`` seconds."""

    elsewhere = True


class Gone(APIError):
    """410: the resource version of a list or watch is too old."""


class ServerError(APIError):
    """5xx: the cluster has a problem of its own."""

    elsewhere = True


_ELSEWHERE = frozenset({"evicted", "gateway", "no-answer", "no-place", "queue", "quota"})
"""Reasons of a failed start that are the cluster's own: it would not fail so everywhere."""


class StartFailed(MCKSError):
    """The pod cannot start, was evicted, or timed out.

    *user_message* is a plain sentence with what to do next; *details* (events, last log lines)
    goes to the hub's log only. *reason* is a short word for metrics, such as ``image``.
    """

    def __init__(self, user_message: str, *, details: str = "", reason: str = "start") -> None:
        self.user_message = user_message
        self.details = details
        self.reason = reason
        self.elsewhere = reason in _ELSEWHERE
        super().__init__(f"{user_message} {details}".rstrip())


class NoneWorked(MCKSError):
    """A start failed in each of several clusters: *tries* has their names and what failed there."""

    def __init__(self, tries: Sequence[tuple[str, MCKSError]]) -> None:
        self.tries = tuple(tries)
        last = self.tries[-1][1]
        self.reason = getattr(last, "reason", "") or type(last).__name__
        self.user_message = "\n".join(
            ["Your server could not be started in any of these clusters."]
            + [f"{n}: {' '.join(exc.jupyterhub_message.split())}" for n, exc in self.tries]
        )
        super().__init__("; ".join(f"{name}: {failure}" for name, failure in self.tries))


class Defect(MCKSError):
    """What mcks did not expect: its own mistake, or that of a function in the configuration.

    Its traceback is in the hub's log. The hub would count any other exception as a failure of its
    own, and end after some of them.
    """

    reason = "defect"

    def __init__(self, cause: Exception) -> None:
        super().__init__(f"unexpected {type(cause).__name__}: {cause}")
