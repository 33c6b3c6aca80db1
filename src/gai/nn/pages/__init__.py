"""Pages of HTML about runs: one file each, that asks for no other."""
