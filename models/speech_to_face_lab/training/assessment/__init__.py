"""How good a trained network is: on test subjects, on held-out tracks, and without one of its parts."""
