"""Forms: words that are left out."""
