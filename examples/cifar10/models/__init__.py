"""The networks by name."""
