"""Array-to-array code that knows nothing of derivatives: NumPy always, Numba where it wins."""
