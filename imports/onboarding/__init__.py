"""Onboarding: a sample of an ERP's file → how it is to be read, proposed with evidence for a person to decide."""

from imports.onboarding.corrections import Corrections
from imports.onboarding.proposals import Proposal
from imports.onboarding.proposing import onboard, propose_format

__all__ = ["Corrections", "Proposal", "onboard", "propose_format"]
