"""Audio devices of this machine: PortAudio, PulseAudio, device selection and per-device calibration."""
