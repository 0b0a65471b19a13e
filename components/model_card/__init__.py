"""The model card: what was trained, on what, how good it is, where not to use it; no TFX here."""
