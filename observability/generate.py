"""Writes what outputs.py tells, into the chart and k6: `python observability/generate.py`."""

import outputs

if __name__ == "__main__":
    outputs.write()
