"""The operations of `ag`, by family."""
