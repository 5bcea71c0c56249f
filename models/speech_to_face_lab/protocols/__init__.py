"""Who is trained on and who is tested: clips of known subjects, the papers' protocols, and readers of the corpora they
use."""
