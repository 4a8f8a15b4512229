"""Optimizers, steps and measurements of one model."""
