"""CodeTalker as its authors published it (github.com/Doubiiu/CodeTalker): speech to the vertices of a head, a whole
recording at a time.

The authors' sizes and quirks, so that their checkpoints give their motion. It drives no blendshapes.
"""
