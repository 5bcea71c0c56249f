"""Verbs that look and report: doctor, monitor, devices, config."""
