"""The training loop: a plan (`plan`), the loop itself (`engine`), one optimiser step (`step`), the state on disk
(`state`) and the log (`logs`)."""
