"""Metrics of a session and their outputs: status lines, the log file, Prometheus."""
