"""11-lora: an adapter trained on questions and cited answers that are derived from the corpus.

`catalogue, mentions, claims, values, spec -> instructions -> tokens of the base's chat template -> peft LoRA -> checked adapter`
"""
