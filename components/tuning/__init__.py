"""The Tuner: tries hyperparameters, and gives the best to the Trainer."""
