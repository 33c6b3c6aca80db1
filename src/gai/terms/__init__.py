"""Terms: many strings as one byte arena, and tokens as the numbers of their terms."""

from gai.terms.arena import Terms

__all__ = ["Terms"]
