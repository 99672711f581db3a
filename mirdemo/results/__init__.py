"""Figures as records: read, checked, made from reports, compared."""
