"""Word vectors: trained, queried, evaluated, reduced and drawn."""
