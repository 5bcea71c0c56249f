"""The page beside a live session."""
