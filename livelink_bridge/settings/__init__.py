"""Settings from defaults, file, environment and flags; what the program remembers between runs."""
