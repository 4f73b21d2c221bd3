"""The api: accounts, orders and the dispatch of their notifications."""

__version__ = "0.1.0"
