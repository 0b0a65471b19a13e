"""Pre-trained word vectors: reading them, choosing the words, handing them to the steps."""
