"""DualTalker (Su, Yang, Li, arXiv 2311.04766): speech to a face and lips to speech, trained together. Blendshape-sized
and causal.

Known of the paper, whose code and formulas are not public: a primary task, audio to facial motion; a dual task, lip
reading; both share the audio encoder and the motion encoder and are trained jointly; an auxiliary cross-modal
consistency loss against over-smoothing. The rest is our reconstruction; the docstrings mark which is which.
"""
