"""From files to arrays: what was read (``Raw``), what a network takes (``Dataset``)."""
