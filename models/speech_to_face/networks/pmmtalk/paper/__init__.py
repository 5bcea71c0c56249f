"""PMMTalk at the paper's size: the parts under the paper's names, whole recordings or blocks at 30 fps."""
