"""Public checkpoints of the papers' systems: fetched, read as untrusted files, and converted to our checkpoint
folders."""
