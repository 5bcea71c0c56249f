"""Commands for models: list, train, adapt, evaluate."""
