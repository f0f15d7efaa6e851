"""Counts with their nouns."""

from __future__ import annotations


def counted(count: int, name: str) -> str:
    """1 candidate, 2 candidates"""
    return f"{count} {name}{'' if count == 1 else 's'}"
