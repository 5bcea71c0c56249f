"""Takes: recording them live, finding them on disk, their audio, exporting them."""
