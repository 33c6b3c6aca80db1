"""Documents as text again: tokens, sentences, stems, lemmas; and these side by side."""
