"""Tokens: which scanner, its tables, and how a text is normalised before it."""

from gai.tokens.analysis import Analysis

__all__ = ["Analysis"]
