"""From audio blocks to face frames: the animator, the face of one subject, the jitter buffer."""
