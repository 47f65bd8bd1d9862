"""Numbers that neither the request, the solver nor enough works give: published defaults, each with its source."""

from __future__ import annotations

TOKENS_PER_PARAMETER = (20.0, "20 tokens a parameter (Hoffmann et al. 2022, arXiv 2203.15556, table 3)")
MIX = ({"web": 0.82, "code": 0.045, "encyclopedia": 0.045, "books": 0.045, "papers": 0.025, "forums": 0.02},
       "shares of LLaMA's data (Touvron et al. 2023, arXiv 2302.13971, table 1), web crawls joined")  # fmt: skip
LEARNING_RATES = ((1e8, 1e-3), (5e8, 6e-4), (1e10, 3e-4), (float("inf"), 1.5e-4))
LEARNING_RATE_SOURCE = (
    "peak rate by size as in Brown et al. 2020 (arXiv 2005.14165, table 2.1) and Touvron et al. 2023 (2302.13971, table 2)"
)
RATE_OVER_ADAMW = {"lion": 1 / 3, "muon": 1.0, "sgd": 100.0, "heavy-ball-momentum": 100.0, "nesterov-momentum": 100.0}
"""Rates of other optimizers over AdamW's: Lion (Chen et al. 2023, section 5: 3 to 10 times smaller); Muon with updates matched to AdamW's
(Liu et al. 2025, arXiv 2502.16982, section 2.2); plain gradients are smaller than normalised ones."""
MOMENTS = {
    "adamw": ({"beta1": 0.9, "beta2": 0.95, "epsilon": 1e-8}, "Brown et al. 2020 (arXiv 2005.14165), appendix B"),
    "lion": ({"beta1": 0.9, "beta2": 0.99}, "Chen et al. 2023 (Lion, arXiv 2302.06675), section 4.1"),
}
WEIGHT_DECAYS = {"lion": (0.3, "three times AdamW's, as the rate is a third (Chen et al. 2023, arXiv 2302.06675, section 5)")}
ADAM_LIKE = frozenset({"adamw", "adam", "nadam", "radam", "amsgrad", "adamax", "adan", "lion", "muon", "adabelief", "yogi", "adafactor"})
MOMENTUM = frozenset({"heavy-ball-momentum", "nesterov-momentum", "muon"})
WEIGHT_DECAY = (0.1, "Touvron et al. 2023 (arXiv 2302.13971, section 2.3)")
GRADIENT_CLIP = (1.0, "Touvron et al. 2023 (arXiv 2302.13971, section 2.3)")
WARMUP_SHARE, MOST_WARMUP = 0.01, 2000
WARMUP_SOURCE = "1% of the steps, at most 2,000 (Touvron et al. 2023, section 2.3: 2,000)"
FINAL_SHARE = (0.1, "a tenth of the peak (Hoffmann et al. 2022, arXiv 2203.15556, appendix B)")
NORM_EPSILON = (1e-5, "Touvron et al. 2023 (LLaMA's released configuration)")
SHORT_THETA, LONG_THETA = 10_000.0, 500_000.0
THETA_SOURCE = (
    "10,000 up to 4,096 tokens (Su et al. 2021, arXiv 2104.09864), 500,000 beyond (Llama Team 2024, arXiv 2407.21783, section 3.2)"
)
SPECIAL_TOKENS = (("<s>", "</s>", "<pad>"), "begin, end and padding, as SentencePiece models for decoders have them")
CHECKPOINTS = 50
CHECKPOINT_SOURCE = "fifty a run, so that at most 2% of it is lost"
KEEP = (3, "the newest three; a damaged one leaves two")
EVALUATIONS = 100
LICENCE = ("Apache-2.0", "the licence of Forge's generated code; data may ask for another")


def learning_rate(parameters: int, optimizer: str) -> float:
    base = next(rate for most, rate in LEARNING_RATES if parameters <= most)
    return base * RATE_OVER_ADAMW.get(optimizer, 1.0)
