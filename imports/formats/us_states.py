"""The states of the US: their codes and names, and how their postal codes begin."""

from __future__ import annotations

import re
from typing import NamedTuple

_STATES = """
AK Alaska 995-999
AL Alabama 350-369
AR Arkansas 716-729 755-755
AZ Arizona 850-865
CA California 900-961
CO Colorado 800-816
CT Connecticut 060-069
DC District_of_Columbia 200-200 202-205
DE Delaware 197-199
FL Florida 320-349
GA Georgia 300-319 398-399
HI Hawaii 967-968
IA Iowa 500-528
ID Idaho 832-838
IL Illinois 600-629
IN Indiana 460-479
KS Kansas 660-679
KY Kentucky 400-427
LA Louisiana 700-714
MA Massachusetts 010-027 055-055
MD Maryland 206-219
ME Maine 039-049
MI Michigan 480-499
MN Minnesota 550-567
MO Missouri 630-658
MS Mississippi 386-397
MT Montana 590-599
NC North_Carolina 270-289
ND North_Dakota 580-588
NE Nebraska 680-693
NH New_Hampshire 030-038
NJ New_Jersey 070-089
NM New_Mexico 865-865 870-884
NV Nevada 889-898
NY New_York 005-005 063-063 100-149
OH Ohio 430-459
OK Oklahoma 730-749
OR Oregon 970-979
PA Pennsylvania 150-196
RI Rhode_Island 028-029
SC South_Carolina 290-299
SD South_Dakota 570-577
TN Tennessee 370-385
TX Texas 733-733 739-739 750-799 885-885
UT Utah 840-847
VA Virginia 201-201 220-246
VT Vermont 050-059
WA Washington 980-994
WI Wisconsin 530-549
WV West_Virginia 247-268
WY Wyoming 820-834
"""
_ZIP = re.compile(r"([0-9]{3})[0-9]{2}(?:-?[0-9]{4})?", re.ASCII)


class UsState(NamedTuple):
    code: str
    name: str
    zips: tuple[tuple[str, ...], ...]
    """The first and last three digits with which its postal codes begin."""

    def has(self, zip_code: str) -> bool:
        """Whether a postal code is one of the state's, which is false for what is no postal code."""
        match = _ZIP.fullmatch(zip_code)
        return match is not None and any(first <= match[1] <= last for first, last in self.zips)


def _read_states() -> dict[str, UsState]:
    states = {}
    for line in _STATES.strip().split("\n"):
        code, name, *zips = line.split()
        states[code] = UsState(code, name.replace("_", " "), tuple(tuple(part.split("-")) for part in zips))
    return states


STATES = _read_states()
_BY_NAME = {state.name.casefold(): state for state in STATES.values()}


def find_us_state(text: str) -> UsState | None:
    """The state that a code or a name in any case is of."""
    return STATES.get(text.upper()) or _BY_NAME.get(text.casefold())


def is_us_zip(code: str) -> bool:
    """Whether a trimmed text is a whole postal code of the US."""
    return _ZIP.fullmatch(code) is not None
