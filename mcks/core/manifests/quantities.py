"""Kubernetes' quantities as numbers: ``500m``, ``1.5G``, ``2Gi``. Pure.

What is told of a text that is none does not belong here (checking/kubernetes/kubernetes_rules.py).
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

_QUANTITY = re.compile(
    r"(?P<number>[+-]?(?:\d+\.?\d*|\.\d+))(?P<suffix>[KMGTPE]i|[numkMGTPE]|[eE][+-]?\d+)?"
)
_BINARY = {f"{unit}i": 1024**power for power, unit in enumerate("KMGTPE", 1)}
_DECIMAL = {
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    "k": Decimal(1000),
    **{unit: Decimal(1000) ** power for power, unit in enumerate("MGTPE", 2)},
}


def amount(value: Any) -> Decimal | None:
    """Return what the quantity *value* means, None if it is none.

    >>> amount("500m"), amount("2Gi"), amount("1e3"), amount("2 GB")
    (Decimal('0.500'), Decimal('2147483648'), Decimal('1E+3'), None)
    """
    found = _QUANTITY.fullmatch(str(value))
    if found is None:
        return None
    number, suffix = Decimal(found["number"]), found["suffix"] or ""
    if suffix in _BINARY:
        return number * Decimal(_BINARY[suffix])
    if suffix in _DECIMAL:
        return number * _DECIMAL[suffix]
    return Decimal(found["number"] + suffix)
