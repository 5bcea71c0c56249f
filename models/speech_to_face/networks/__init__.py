"""The networks: PMMTalk, CodeTalker, DualTalker and the baselines."""
