"""The lowest layer: audio blocks and face frames, the channel between two threads, the clock, worker threads."""
