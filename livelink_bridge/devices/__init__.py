"""Audio devices of this machine: PortAudio, PulseAudio, which device is meant, and what was calibrated for it."""
