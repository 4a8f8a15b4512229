"""Whole runs: their folders and pictures."""
