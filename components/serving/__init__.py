"""Serving: TensorFlow Serving's REST and gRPC protocols on this machine, and clients for them."""
