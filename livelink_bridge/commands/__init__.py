"""The commands of the command line, one file each. Slow imports stand inside the command that needs them."""
