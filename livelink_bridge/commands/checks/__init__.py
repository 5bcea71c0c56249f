"""Commands that inspect and report: doctor, monitor, devices, config."""
