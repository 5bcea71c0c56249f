"""Training: samples from a corpus, one loop, checkpoints that resume."""
