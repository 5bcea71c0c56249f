"""The ways a session runs, one file each; all end when they are stopped, their faces neutral."""
