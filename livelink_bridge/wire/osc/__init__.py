"""OSC messages as bytes, and how faces are laid out in them."""
