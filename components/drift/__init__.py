"""How text that the model is asked about differs from the text that it was evaluated on."""
