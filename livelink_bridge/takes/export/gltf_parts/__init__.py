"""Reading and writing glTF files, and the plain face that an animation is written to."""
