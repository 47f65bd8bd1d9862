"""10-trained: the assembled model trained on the corpus's text, and its pieces written once more with what they learned."""
