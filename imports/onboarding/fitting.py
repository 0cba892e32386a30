"""Fitting: how well the values of a column suit a field, and what that makes of the header's word for it."""

from __future__ import annotations

from imports.onboarding.profiles import ENOUGH, Profile
from imports.template import Kind, Target

UNCONFIRMED = 0.9
"""As sure as a header can be whose column has no values that speak for it."""

PLACES = ("name", "address_1", "address_2", "city")
"""What nobody writes as a number that says yes or no."""
TERMS = ("price_types", "payment_terms", "shipping_terms")
"""What may be named by numbers: "30 / 2% 10"."""
LISTS_OF_FEW = ("customer_groups", "company_numbers", "warehouses")
MANY, ALL_DIFFER = 8, 0.95
"""From how many rows on, and by which share of different values, a column holds no entries of a short list."""


def fits(profile: Profile, target: Target) -> tuple[float, str]:
    """How well the values fit a field, from 0 (they contradict it) over 0.5 (they say nothing) to 1; and why."""
    part, kind = target.field.part, target.field.kind
    if profile.is_blank:
        return 0.45, "all its cells are blank"
    typed = {
        Kind.EMAIL: (profile.emails, "e-mail addresses"),
        Kind.COUNTRY: (profile.countries, "countries"),
        Kind.CURRENCY: (profile.currencies, "currencies"),
        Kind.WEBSITE: (profile.websites, "web addresses"),
        Kind.BOOLEAN: (profile.booleans, "yes or no"),
        Kind.ADDRESS_TYPE: (profile.address_kinds, "kinds of address"),
        Kind.INTEGER: (profile.percents, "percentages"),
    }
    if kind in typed:
        share, what = typed[kind]
        return _grade(share), f"{share:.0%} of its values are {what}"
    if part == "zip" and target.field.group != "connection":
        return max(0.3, _grade(profile.zips)), f"{profile.zips:.0%} of its values look like postal codes"
    if part == "phone":
        return max(0.2, _grade(profile.phones)), f"{profile.phones:.0%} of its values look like phone numbers"
    if profile.booleans > 0.9 and (part in PLACES or profile.letters > 0.5):
        return 0.0, "its values say yes or no"
    if profile.machine_keys > 0.5:
        return 0.0, "its values are keys that only a machine reads"
    if part in ("address_1", "address_2") and profile.whole_addresses > 0.5:
        return 0.0, "its values are whole addresses, which nothing can take apart for sure"
    if profile.emails + profile.dates + profile.websites > 0.5:
        return 0.1, "its values are e-mails, dates or web addresses"
    return _fits_text(profile, target, part)


def _fits_text(profile: Profile, target: Target, part: str) -> tuple[float, str]:
    """The same for a field that takes any text, by what such texts look like."""
    if target.field.group in LISTS_OF_FEW and profile.filled >= MANY and profile.uniqueness > ALL_DIFFER:
        return 0.2, "its values never repeat, as entries of a list do"
    if target.name in ("customer_code", "profile_name") and profile.distinct == 1 and profile.filled >= MANY:
        return 0.1, "all rows have the same"
    if target.name == "customer_code":
        if profile.fill < 0.95:
            return 0.15, f"it is blank on {1 - profile.fill:.0%} of the rows"
        return (0.85 if profile.codes > 0.9 else 0.5), "its values look like codes" if profile.codes > 0.9 else ""
    if part == "city":
        if profile.letters < 0.5:
            return 0.2, "its values are no words"
        return (0.8 if profile.uniqueness < 0.95 or profile.streets < 0.1 else 0.5), ""
    if part == "address_1":
        return (
            (0.9, "its values look like streets")
            if profile.streets > 0.5
            else (0.5 if profile.letters > 0.5 else 0.2, "")
        )
    if part in ("profile_name", "name") and target.field.group not in TERMS:
        return (0.75 if profile.letters > 0.8 else 0.25 if profile.letters < 0.4 else 0.5), ""
    if part == "state":
        few = profile.distinct < 4 < profile.filled / 3 and profile.marks > ENOUGH and profile.states < ENOUGH
        wrong_kind = profile.decimals + profile.phones > 0.5 or few
        return (0.85 if profile.states > 0.7 else 0.1 if wrong_kind else 0.55), ""
    return 0.55, ""


def _grade(share: float) -> float:
    return 1.0 if share > 0.9 else 0.8 if share > ENOUGH else 0.35 if share > 0.3 else 0.1


def weigh(profile: Profile, target: Target, score: float) -> float:
    """What remains of a header's score, or what is added to it, by the values."""
    fit, _ = fits(profile, target)
    if fit >= 0.7:
        return 1 - (1 - score) * (1.35 - fit)
    if fit >= 0.5:
        return min(score * 0.97, UNCONFIRMED)
    return score * (0.9 if fit >= 0.45 else 0.25 + fit)
