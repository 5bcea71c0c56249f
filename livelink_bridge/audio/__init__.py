"""Audio arithmetic, block by block: resampling, downmix, AGC, noise gate, VAD, level meters. Pure: no socket, no
thread, no clock."""
