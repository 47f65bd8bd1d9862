"""Writing with a language model: a section's quoted sentences become prose, as far as the verifier lets them."""
