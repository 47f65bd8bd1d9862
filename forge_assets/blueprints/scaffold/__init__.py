"""The project that a blueprint becomes: model, tokenizer, data, training, tests and the texts that people and agents work from."""
