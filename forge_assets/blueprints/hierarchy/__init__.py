"""The files a team works from: tokenizer.yaml, model.yaml, optimizer.yaml, training_loop.md and others, laid out alike everywhere."""
