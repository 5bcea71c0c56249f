"""CodeTalker (Xing et al., CVPR 2023): speech to motion through a codebook of motions that is learnt first.

Two stages. "prior": a VQ-VAE learns codes from which motion is rebuilt. "speech": an audio network chooses codes, frame
after frame, and reads back the motion of its own choices. Blendshape-sized here, mesh-sized (the authors' layout) in
`mesh`.
"""
