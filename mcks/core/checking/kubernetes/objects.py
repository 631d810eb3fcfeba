"""Tells what Kubernetes would refuse or drop in the objects of a start, and who said it. Pure.

What is wrong in one object (schemas.py) and where a field is written (origins.py) do not belong
here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from mcks.core.checking.finding import Finding
from mcks.core.checking.kubernetes.origins import origin
from mcks.core.checking.kubernetes.schemas import schemas
from mcks.core.objects import Manifest
from mcks.errors import MissingDependency

NOT_COMPARED = "MCKS220"


def findings(
    objects: Sequence[Manifest],
    templates: Mapping[str, str],
    patches: Mapping[str, str],
    version: str = "",
) -> Iterator[Finding]:
    """Yield what is wrong with *objects*, which *templates* and *patches* have made.

    *version* is that of Kubernetes, such as ``v1.34.2``; the newest that is known if it is empty.
    A place names the template or patch and its line if they are known, and no user's object.
    Without the extra ``check`` there is one note that says so.
    """
    try:
        known = schemas(version)
    except MissingDependency as exc:
        yield Finding(NOT_COMPARED, str(exc))
        return
    for manifest in objects:
        kind = manifest["kind"]
        for mistake in known.mistakes(manifest):
            written = origin(kind, mistake.path, templates, patches)
            where = f"{kind} at {mistake.place}" if mistake.path else kind
            yield Finding(mistake.code, mistake.what, f"{written}: {where}" if written else where)
