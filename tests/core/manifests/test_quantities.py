"""Kubernetes' quantities as numbers."""

from __future__ import annotations

from decimal import Decimal

import pytest

from mcks.core.manifests.quantities import amount


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", "0"),
        (2, "2"),
        ("500m", "0.5"),
        ("1.5G", "1500000000"),
        ("2Gi", "2147483648"),
        ("1e3", "1000"),
        ("12E2", "1200"),
        ("+.5k", "500"),
    ],
)
def test_a_quantity_is_the_number_that_it_means(text: object, number: str) -> None:
    assert amount(text) == Decimal(number)


@pytest.mark.parametrize("text", ["", "many", "1 Gi", "1GB", "1KI", None, "1e", "--1"])
def test_what_is_no_quantity_has_no_amount(text: object) -> None:
    assert amount(text) is None
