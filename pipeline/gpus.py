"""Which steps may use a GPU; the others, here and in a cluster, are not to see any.

What follows training computes as the server does, on a CPU: a GPU rounds the products of matrices
to TensorFloat-32, and ServeCheck would find served and evaluated probabilities to differ.
"""

GPU_STEPS = ("Trainer", "Tuner")
# Some container runtimes show a machine's GPUs to every container, asked for or not.
HIDDEN_GPU = {"NVIDIA_VISIBLE_DEVICES": "void", "CUDA_VISIBLE_DEVICES": "-1"}
