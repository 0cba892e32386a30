"""Connections (the customers of an account), what belongs to them, and the record of every change."""

from connections.models.assignments import (
    Assignment,
    ConnectionPaymentTerm,
    ConnectionPriceType,
    ConnectionShippingTerm,
    ConnectionWarehouse,
)
from connections.models.changes import Change
from connections.models.connections import LONGEST_NOTE, Connection
from connections.models.documents import SearchDocument
from connections.models.kept import KeptValue
from connections.models.log_starts import LogStart
from connections.models.matching import MatchingProgress, MatchKey, Suggestion
from connections.models.records import Address, Buyer, Door
from connections.models.sightings import Sighting

__all__ = [
    "LONGEST_NOTE",
    "Address",
    "Assignment",
    "Buyer",
    "Change",
    "Connection",
    "ConnectionPaymentTerm",
    "ConnectionPriceType",
    "ConnectionShippingTerm",
    "ConnectionWarehouse",
    "Door",
    "KeptValue",
    "LogStart",
    "MatchKey",
    "MatchingProgress",
    "SearchDocument",
    "Sighting",
    "Suggestion",
]
