"""Public checkpoints of the papers' systems: how they are fetched, read without trust, and turned into checkpoint
folders of ours."""
