"""What networks are made and judged with: corpus, protocols, training, adaptation, evaluation. Nothing here is imported
before `train`, `adapt` or `evaluate` asks for it."""
