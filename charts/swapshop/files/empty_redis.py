"""Empties the services' database of Redis; with the argument `check` it only wants an answer."""

import os
import sys

from redis import Redis
from redis.backoff import ExponentialBackoff
from redis.retry import Retry

ONLY_CHECKS = sys.argv[1:] == ["check"]
RETRIES = 0 if ONLY_CHECKS else 10
"""Ten last a minute and a half: hours of a restore do not fail because Redis just restarts."""
LIMITS = {"socket_connect_timeout": 10, "socket_timeout": 30}
"""In seconds."""

retry = Retry(ExponentialBackoff(cap=10, base=1), RETRIES)
with Redis.from_url(os.environ["REDIS_URL"], retry=retry, **LIMITS) as redis:
    if ONLY_CHECKS:
        redis.ping()
    else:
        redis.flushdb(asynchronous=True)
