"""Rules that judge a value, shared by files, forms and programs."""

from __future__ import annotations

from functools import cache

import pycountry
from django.core.exceptions import ValidationError

# "Required if the country is US, CA, JP, or AU": rows shipping_state_% and billing_state_% of the field table.
STATE_REQUIRED_COUNTRIES = frozenset({"US", "CA", "JP", "AU"})

USER_ASSIGNED_COUNTRIES = {"XK": "Kosovo"}
"""Codes that ISO 3166-1 leaves to its users; everybody uses this one for want of another."""


@cache
def country_names() -> dict[str, str]:
    """English names of the countries by their alpha-2 code of ISO 3166-1, in the order of the names."""
    names = {country.alpha_2: getattr(country, "common_name", country.name) for country in pycountry.countries}
    names |= USER_ASSIGNED_COUNTRIES
    return dict(sorted(names.items(), key=lambda country: country[1]))


def validate_country(value: str) -> None:
    if value not in country_names():
        raise ValidationError("must be a country of ISO 3166-1 as two capitals, such as FR.", code="invalid_country")
