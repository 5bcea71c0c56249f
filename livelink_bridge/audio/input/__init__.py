"""From a source's blocks to the input of the network: of a live voice and of a recording."""
