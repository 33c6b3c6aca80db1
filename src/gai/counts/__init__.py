"""Counts: from batches of documents to document-term counts, in parallel and in bounded memory."""

from gai.counts.counting import count
from gai.counts.pruning import Pruning
from gai.counts.result import Counts

__all__ = ["Counts", "Pruning", "count"]
