"""A random run of the whole system under faults, and the judgement of what its clients saw."""
