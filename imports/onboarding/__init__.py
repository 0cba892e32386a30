"""Onboarding: a sample of an ERP's file → how it is to be read, proposed with evidence for a person to decide."""
