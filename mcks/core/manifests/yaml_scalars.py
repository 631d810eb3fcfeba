"""What a YAML scalar means to kubectl: Go's yaml.v2, then JSON. Documents do not belong here.

The rules are those of yaml.v2's resolve.go and of the conversion to JSON in sigs.k8s.io/yaml.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
import struct
from decimal import Decimal
from typing import Any

_TAG = "tag:yaml.org,2002:"
STRING_TAG = _TAG + "str"

_CONSTANTS: dict[str, Any] = {
    **dict.fromkeys(["y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE"], True),
    **dict.fromkeys(["on", "On", "ON"], True),
    **dict.fromkeys(["n", "N", "no", "No", "NO", "false", "False", "FALSE"], False),
    **dict.fromkeys(["off", "Off", "OFF"], False),
    **dict.fromkeys(["", "~", "null", "Null", "NULL"]),
    **dict.fromkeys([".nan", ".NaN", ".NAN"], math.nan),
    **dict.fromkeys([".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"], math.inf),
    **dict.fromkeys(["-.inf", "-.Inf", "-.INF"], -math.inf),
}
_INTEGER = re.compile(
    r"([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|(0|[1-9][0-9]*))", re.ASCII
)
_BASES = (16, 2, 8, 10)
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", re.ASCII)
_DIGITS = r"[0-9]+(?:_[0-9]+)*"
_FRACTION = re.compile(rf"\.{_DIGITS}(?:[eE][-+]?{_DIGITS})?", re.ASCII)

_INT64 = range(-(2**63), 2**63)
_UINT64 = range(2**64)
_NUMERIC_START = frozenset("+-.0123456789")


def resolve(text: str) -> Any:
    """Return what the plain scalar *text* means: None, bool, int, float (also inf, nan) or str.

    An int may be as large as an unsigned 64-bit one. Dates and ``12:30`` are strings.
    """
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if text[0] not in _NUMERIC_START:
        return text
    number = _fraction(text) if text[0] == "." else _number(text.replace("_", ""))
    return text if number is None else number


def resolve_tagged(text: str, tag: str) -> Any:
    """Return what *text* means under an explicit *tag*; tags that YAML does not know say nothing.

    Raises ValueError where *text* is no such thing.
    """
    name = tag.removeprefix(_TAG) if tag.startswith(_TAG) else ""
    if name == "binary":
        try:
            return base64.b64decode(text, validate=False).decode(errors="replace")
        except binascii.Error as e:
            raise ValueError("!!binary value contains invalid base64 data. Encode it anew") from e
    if name not in ("bool", "int", "float", "null", "timestamp"):
        return text
    value = resolve(text)
    if name == "float" and type(value) is int and value in _INT64:
        return float(value)
    if name == "timestamp" and re.match(r"\d{4}-\d{1,2}-\d{1,2}", text):
        return text
    found = {bool: "bool", int: "int", float: "float", str: "str"}.get(type(value), "null")
    if found != name:
        raise ValueError(f"cannot decode !!{found} as a !!{name}. Change the value or its tag")
    return value


def as_number(value: float) -> float:
    """Return *value* as kubectl's JSON has it: an int where it is a whole number of 64 bits.

    Raises ValueError for infinities and NaN.
    """
    if type(value) is float:
        if not math.isfinite(value):
            raise ValueError(f"unsupported value: {value}")
        if not value.is_integer() or abs(value) >= 1e21:
            return value
        # Go writes the shortest digits and pads with zeros: 2.0**60 is 1152921504606847000.
        whole = int(Decimal(repr(value)))
        return whole if whole in _INT64 else value
    return value if value in _INT64 else float(value)


def as_key(value: Any) -> str:
    """Return the string that a mapping's key becomes.

    Raises ValueError for null, collections, and integers above 64 bits.
    """
    if type(value) is str:
        return value
    if type(value) is bool:
        return "true" if value else "false"
    if type(value) is int and value in _INT64:
        return str(value)
    if type(value) is float:
        return _float_key(value)
    if type(value) in (dict, list):
        raise ValueError("invalid map key: it is a map or a list")
    raise ValueError("unsupported map key: null" if value is None else "unsupported map key")


def _number(digits: str) -> float | None:
    if match := _INTEGER.fullmatch(digits):
        sign, *groups = match.groups()
        base, number = next((b, g) for b, g in zip(_BASES, groups, strict=True) if g is not None)
        number = number.lstrip("0") or "0"
        if len(number) <= 64:
            value = int(sign + number, base)
            if value in _INT64 or (not sign and value in _UINT64):
                return value
    return _finite(digits) if _FLOAT.fullmatch(digits) else None


def _fraction(text: str) -> float | None:
    return _finite(text.replace("_", "")) if _FRACTION.fullmatch(text) else None


def _finite(digits: str) -> float | None:
    """A number too large for a float stays a string."""
    value = float(digits)
    return value if math.isfinite(value) else None


def _float_key(value: float) -> str:
    """Go's FormatFloat(value, 'g', -1, 32): the shortest digits that give the same float32."""
    try:
        packed = struct.pack("<f", value)
    except OverflowError:
        return ".inf" if value > 0 else "-.inf"
    (single,) = struct.unpack("<f", packed)
    if not math.isfinite(single):
        return ".nan" if math.isnan(single) else (".inf" if single > 0 else "-.inf")
    texts = (f"{single:.{precision}e}" for precision in range(9))
    text = next(text for text in texts if struct.pack("<f", float(text)) == packed)
    mantissa, exponent = text.split("e")
    if -4 <= int(exponent) < 6:
        return format(Decimal(text), "f")
    return f"{mantissa}e{exponent}"
