"""Searching for a model's hyper-parameters on held-out training images."""
