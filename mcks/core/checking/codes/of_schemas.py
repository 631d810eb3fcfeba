"""MCKS2xx: what Kubernetes' schemas say. Only a table."""

from __future__ import annotations

from mcks.core.checking.codes.code import Code, error, note

OF_SCHEMAS: dict[str, Code] = {
    "MCKS200": error(
        "No such field",
        "Kubernetes has no field of this name there. It is misspelt, or indented too little or too "
        "much.",
        "Correct the name, or move the field to where it belongs.",
    ),
    "MCKS201": error(
        "Wrong type of a field",
        "The field takes another type: a text where a number belongs, a mapping where a list does.",
        "Write a value of the type that the line tells.",
    ),
    "MCKS202": error(
        "A field is missing",
        "Kubernetes needs this field.",
        "Add it.",
    ),
    "MCKS203": error(
        "No such kind of object",
        "`kind` is none of its API group, or not in the version that `apiVersion` says.",
        "Correct `kind` or `apiVersion`.",
    ),
    "MCKS204": error(
        "No valid name",
        "A name, or a label's or an annotation's key or value, has characters that Kubernetes does "
        "not take there, or too many.",
        "Write a name as the line tells.",
    ),
    "MCKS205": error(
        "No quantity",
        "Kubernetes cannot read this amount of memory, CPU or storage.",
        "Write a number with one of Kubernetes' units: `m`, `k`, `M`, `G`, `Ki`, `Mi`, `Gi`.",
    ),
    "MCKS206": error(
        "No image reference",
        "No node can read this image's name: the Pod would stay in `InvalidImageName`.",
        "Write `[HOST[:PORT]/]NAME[:TAG][@DIGEST]`.",
    ),
    "MCKS207": error(
        "A value that Kubernetes does not know",
        "The field takes a few words only, a port, or base64.",
        "Write one of the values that the line tells.",
    ),
    "MCKS208": error(
        "Too large",
        "An object holds more than Kubernetes stores in one.",
        "Put files into a volume.",
    ),
    "MCKS209": error(
        "It does not fit together",
        "Parts of one Pod contradict each other: a mount without its volume, two containers of one "
        "name, a request above its limit.",
        "Correct the part that the line names.",
    ),
    "MCKS220": note(
        "Objects were not compared with Kubernetes' schemas",
        "The schemas are not installed. A hub does not need them.",
        "Install them where you check: `pip install 'mcks[check]'`.",
    ),
}
