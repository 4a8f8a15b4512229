"""What goes wrong outside the program; the command line prints the message alone."""

from __future__ import annotations


class ExampleError(Exception):
    """A problem that the user can mend, told in full by its message."""


class DataError(ExampleError, ValueError):
    """A data file is missing, damaged or not what it should be; names the file and the record."""


class DownloadError(ExampleError, RuntimeError):
    """A file could not be fetched, or what arrived is not the official file."""


class TrainingError(ExampleError, RuntimeError):
    """Training cannot begin or go on."""
