"""PMMTalk (arXiv 2312.02781) as a live network: every part of the paper, strictly causal, small."""
