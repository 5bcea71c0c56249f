"""When each frame is due: the tick scheduler, the arrival clock, timecode and the time base of a session. Pure: no
thread, no clock of its own."""
