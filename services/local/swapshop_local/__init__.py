"""All of SwapShop in one process, on SQLite and an embedded Valkey, for one machine."""
