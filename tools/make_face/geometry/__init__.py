"""Where things are, the closed skin, and the pieces and falloffs that everything is made of."""
