"""Parameter counts, memory, FLOPs, time and cost from a model's shape, by published formulas; no weights, no framework, no GPU needed."""
