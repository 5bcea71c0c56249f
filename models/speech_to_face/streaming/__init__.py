"""Networks as models and streams: features, steps of 1/60 s, causal layers with explicit state."""
