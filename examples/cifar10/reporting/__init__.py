"""What commands tell while they work: lines, JSON, a progress bar, TensorBoard's event files."""
