"""Alembic's entry point."""

from swapshop_kit.migrations import run_environment

run_environment()
