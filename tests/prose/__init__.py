"""The prose linter: finds turns of phrase that docs and comments avoid."""
