"""Histories of cases, and what the facts must make of them, with the reason."""
