"""Receives frames as Unreal does and reports what arrives, what Unreal would drop, and why."""
