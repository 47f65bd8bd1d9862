"""Counts and words of prose: sizes of models, lengths, machines, formats of numbers, optimizers; and what is none."""

from __future__ import annotations

import pytest

from tests.components.parameter_texts import told

SIZES = [
    ("We compare a 7B model with the 70B variant.", [("parameters", 7e9, "7B"), ("parameters", 70e9, "70B")]),
    ("Models of 7, 13 and 70B parameters", [("parameters", 7e9, "7"), ("parameters", 13e9, "13"), ("parameters", 70e9, "70B")]),
    ("language models at 76--84M parameters", [("parameters", 76e6, "76"), ("parameters", 84e6, "84M")]),
    ("Larger models (greater than 7B) do it.", [("parameters", 7e9, "7B")]),
    ("Smaller models (1.5B) fail.", [("parameters", 1.5e9, "1.5B")]),
    ("A network with fewer than 90M parameters", [("parameters", 90e6, "90M")]),
    ("It has twice the parameters of GPT-3 (175B).", [("parameters", 175e9, "175B")]),
    ("A head of 840 parameters on a frozen encoder", [("parameters", 840.0, "840")]),
    ("a neural network with two layers", [("layers", 2.0, "two")]),
    ("models of 130M/1.3B parameters", [("parameters", 130e6, "130M"), ("parameters", 1.3e9, "1.3B")]),
    ("a network with width of 1024, and 4 attention heads", [("heads", 4.0, "4")]),
    ("a neural model of 19 relation classes", [("num_classes", 19.0, "19")]),
    ("a 12-layer, 768-hidden, 12-heads LM", [("layers", 12.0, "12"), ("hidden_size", 768.0, "768"), ("heads", 12.0, "12")]),
    ("a model of 6 layers, 512 dimensions and 8 heads", [("layers", 6.0, "6"), ("hidden_size", 512.0, "512"), ("heads", 8.0, "8")]),
    ("an MoE network with top-2 routing", [("experts_per_token", 2.0, "2")]),
    ("quantization to 2/3/4-bit weights", [("bits", 2.0, "2"), ("bits", 3.0, "3"), ("bits", 4.0, "4")]),
    ("3 or 4 bits per weight of a quantized model", [("bits", 3.0, "3"), ("bits", 4.0, "4")]),
    ("The neural model does 10-class classification.", [("num_classes", 10.0, "10")]),
    ("The embedding has 1536 dimensions.", [("embedding_dim", 1536.0, "1536")]),
]
LENGTHS = [
    ("trained for two million steps", [("training_steps", 2e6, "two million")]),
    ("We pre-train 1,000,000 steps.", [("training_steps", 1e6, "1,000,000")]),
    ("trained to convergence (50K steps, 1.64B tokens)", [("training_steps", 50e3, "50K"), ("training_tokens", 1.64e9, "1.64B")]),
    ("an agent limited to 100k steps of interaction while learning", [("training_steps", 1e5, "100k")]),
    ("trained with 8K-token documents", [("context_length", 8000.0, "8K")]),
    ("It extends the context window of Llama-2 to 128K tokens.", [("context_length", 128e3, "128K")]),
    ("Inputs were truncated to 320 word pieces.", [("context_length", 320.0, "320")]),
    ("Summaries were generated up to 64 tokens.", [("max_new_tokens", 64.0, "64")]),
    ("with batches of 256 sequences of length 512", [("batch_size", 256.0, "256"), ("context_length", 512.0, "512")]),
    ("a batch size from 512 to 4096 images", [("batch_size", 512.0, "512"), ("batch_size", 4096.0, "4096")]),
    ("gradients are accumulated over 8 iterations", [("gradient_accumulation_steps", 8.0, "8")]),
    ("The tokenizer includes 56,000 tokens.", [("vocabulary_size", 56e3, "56,000")]),
    ("Training with four GPUs takes around eight days.", [("training_time", 192.0, "eight"), ("accelerators", 4.0, "four")]),
    ("Total training time was around 10 days.", [("training_time", 240.0, "10")]),
    ("set as before (learning rate = 2e-5, max_sequence_len = 128 and batch_size = 32) for training",
     [("learning_rate", 2e-5, "2e-5"), ("context_length", 128.0, "128"), ("batch_size", 32.0, "32")]),
    ("fine-tuned for two epochs (48 hours on a V100 GPU)",
     [("epochs", 2.0, "two"), ("training_time", 48.0, "48"), ("accelerator_type", "V100", "V100")]),
]  # fmt: skip
MACHINES = [
    ("trained on 16 Cloud TPU v2 chips", [("accelerators", 16.0, "16"), ("accelerator_type", "TPU v2", "TPU v2")]),
    ("an 8-GPU NVIDIA H100 node", [("accelerators", 8.0, "8"), ("accelerator_type", "H100", "H100")]),
    ("trained on two 3090 GPUs", [("accelerators", 2.0, "two"), ("accelerator_type", "3090", "3090")]),
    ("with an Nvidia Tesla V100 GPU with 16GB memory", [("accelerator_type", "V100", "V100"), ("memory", 16e9, "16GB")]),
    ("scaled to 16 or 64 GPUs", [("accelerators", 16.0, "16"), ("accelerators", 64.0, "64")]),
    ("Eight NVIDIA Tesla V100 were used", [("accelerators", 8.0, "Eight"), ("accelerator_type", "V100", "V100")]),
    ("GPU: GeForce GTX 1080 Ti x1", [("accelerator_type", "GTX 1080 Ti", "GTX 1080 Ti"), ("accelerators", 1.0, "1")]),
]
WORDS = [
    ("quantizing FP32 models to INT3", [("precision", "fp32", "FP32"), ("precision", "int3", "INT3")]),
    ("The network is trained with mixed precision.", [("precision", "mixed", "mixed precision")]),
    ("The optimizer used is Adam for the model.", [("optimizer", "adam", "Adam")]),
    ("We train the network using the AdamW optimizer.", [("optimizer", "adamw", "AdamW")]),
    ("warmup and then linear decay of the learning rate", [("schedule", "linear", "linear")]),
]
SILENT = [
    "Qwen 3B, DeepSeek 7B and Mistral-7B were compared.",
    "The bound agrees with that of the Adam optimizer.",
    "Compute the derivative of the ReLU activation function.",
    "A curve over a field with 283 parameters",
    "We introduce T4, a transformer for time series.",
    "A hash of 64-bit words in RISC-V datapaths of a network",
    "A network has 10 hidden-layer neurons.",
    "A network for 3-D models",
    "The transformer layer: 1) attention and 2) projection",
    "It can be trained with over 2,800 tokens/sec of throughput.",
    "less training time at the 10B tier of a network",
    "filtering 100 million-scale datasets for a network",
    "a flow with cosine scheduling of noise",
    "mixed-precision quantization of a network",
    "with lr_period = 10 while training",
]


@pytest.mark.parametrize(("text", "expected"), SIZES + LENGTHS + MACHINES + WORDS)
def test_prose_states(text: str, expected: list[tuple[str, object, str]]) -> None:
    assert sorted(told(text), key=str) == sorted(expected, key=str)


@pytest.mark.parametrize("text", SILENT)
def test_what_only_looks_like_a_value_is_left_out(text: str) -> None:
    assert told(text) == []
