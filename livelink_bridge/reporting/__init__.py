"""Counters and what is written from them: status lines, the log file, Prometheus."""
