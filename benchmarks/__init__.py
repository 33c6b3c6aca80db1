"""Speed and memory of gai beside those of other tools: ``python -m benchmarks``, ``make bench``."""
