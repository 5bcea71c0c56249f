"""CodeTalker (Xing et al., CVPR 2023): speech to motion through a codebook of motions that was learnt first.

Two stages. "prior": a VQ-VAE learns codes from which motion is rebuilt. "speech": a network that hears speech chooses
codes, frame after frame, reading back the motion that its own choice gave. Blendshape-sized here, mesh-sized (the
authors' layout) in `mesh`.
"""
