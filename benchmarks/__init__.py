"""Measurements of dagrad next to its peers: `python -m benchmarks`."""
