"""The embedding model: texts in, L2-normalised float32 vectors out, on whatever this machine has.

Locate the model (`models`) -> word pieces (`pieces`) -> an encoder (`bert_torch`, `bert_openvino`, `bert_numpy` for queries,
`general` for all models that are not BERT-like) -> pooled vectors. `load_embedder` chooses the back-end (`choice`).
"""

from __future__ import annotations

from forge_resources.embedder.choice import later_embedder, load_embedder, load_query_encoder
from forge_resources.embedder.interface import Chunk, Embedder, QueryEncoder
from forge_resources.embedder.models import ModelFiles, find_model

__all__ = ["Chunk", "Embedder", "ModelFiles", "QueryEncoder", "find_model", "later_embedder", "load_embedder", "load_query_encoder"]
