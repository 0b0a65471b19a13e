"""Batch predictions: many files of sentences in, a file of predictions for each out."""
