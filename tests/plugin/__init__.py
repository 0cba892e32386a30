"""A plug-in: what another developer writes to add to Customer Sync. docs/plugins.md explains it part by part."""
