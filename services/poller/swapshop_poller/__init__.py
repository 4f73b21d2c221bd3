"""The poller: leases deliveries from the api, sends them to the receiver and reports back."""

__version__ = "0.1.0"
