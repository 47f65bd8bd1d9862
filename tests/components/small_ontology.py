"""A small ontology for tests of matching: names that are easy, ambiguous, inside one another."""

from __future__ import annotations

from forge_assets.components.lexicon import Lexicon
from forge_assets.components.ontology.model import Alias, Component, Ontology

_ENTRIES: dict[str, tuple[str, str, tuple[str | Alias, ...]]] = {
    "layer-norm": ("norm", "Layer normalization", ("layer normalization", "LayerNorm")),
    "batch-norm": ("norm", "Batch normalization", ("batch normalization", "BatchNorm")),
    "dropout": ("regularization", "Dropout", ("dropout",)),
    "adam": ("optimizer", "Adam", ("Adam", "adaptive moment estimation")),
    "lion": ("optimizer", "Lion", (Alias("Lion", "exact", ("optimizer", "adamw"), ("sea lion",)),)),
    "bert": ("architecture", "BERT", ("BERT", "bidirectional encoder representations from transformers")),
    "gpt": ("architecture", "GPT", ("GPT", "generative pre-trained transformer")),
    "gpt-3.5": ("architecture", "GPT-3.5", ("GPT-3.5",)),
    "t5": ("architecture", "T5", ("T5",)),
    "llama-2": ("architecture", "Llama 2", ("Llama 2",)),
    "transformer": ("architecture", "Transformer", ("Transformer",)),
    "lstm": ("sequence_mixer", "Long short-term memory", ("LSTM", "long short-term memory")),
    "cnn": ("architecture", "Convolutional neural network", ("CNN", "convolutional neural network")),
    "rope": ("position_encoding", "Rotary position embedding", ("RoPE", "rotary position embedding")),
    "lora": ("adapter", "Low-rank adaptation", ("LoRA", "low-rank adaptation")),
    "k-means": ("data_pipeline", "k-means", ("k-means",)),
    "mha": ("attention", "Multi-head attention", ("multi-head attention", "MHA")),
    "pretraining": ("objective", "Pre-training", ("pre-training",)),
    "flash": ("attention_kernel", "FlashAttention", ("FlashAttention",)),
    "bpe": ("tokenizer", "Byte-pair encoding", ("BPE", "byte-pair encoding")),
    "relu": ("activation", "ReLU", ("ReLU", "rectified linear unit")),
    "gelu": ("activation", "GELU", ("GELU",)),
}


def small_ontology() -> Ontology:
    """Twenty-odd components, without slots and parameters."""
    components = {}
    for identity, (slot, name, written) in _ENTRIES.items():
        aliases = tuple(alias if isinstance(alias, Alias) else Alias(alias) for alias in written)
        components[identity] = Component(identity, name, slot, aliases, None, (), (), (), (), "described", "")
    return Ontology({}, {}, {}, {}, components)


LEXICON = Lexicon(small_ontology())
