"""A package, so that the browser ends with the last test here: its event loop would stay in the process."""
