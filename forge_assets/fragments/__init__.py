"""Fragments of a model: tokenizer, embedding, positions, attention, feed-forward, norms, block, head, and the model assembled of them.

Each is a folder that stands alone: its text in FDL, printed code, weights in three formats, golden numbers, a test and a card.
"""
