"""Settings from defaults, file, environment and flags, and what the program remembers between runs."""
