"""Evaluator: TFMA's metrics, slices and bounds, and what came out of them."""
