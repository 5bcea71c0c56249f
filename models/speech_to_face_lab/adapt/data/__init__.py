"""What an adaptation learns from: takes, read, timed and split, and what the network makes of their audio."""
