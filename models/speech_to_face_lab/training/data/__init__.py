"""Training data: tracks on disk (`tracks`), windows of them (`examples`) with levels and noises mixed in (`mixing`),
and corpora split by a protocol (`recordings`)."""
