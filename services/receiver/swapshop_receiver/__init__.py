"""The receiver: stores each notification once and shows it to its owner alone."""

__version__ = "0.1.0"
