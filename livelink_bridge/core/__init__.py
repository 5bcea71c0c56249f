"""What everything stands on: frames and audio blocks, the channel between two threads, the clock, worker threads."""
