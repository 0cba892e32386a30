"""Formats: how one ERP's file is read, as data, as a document, and what differs between two."""
