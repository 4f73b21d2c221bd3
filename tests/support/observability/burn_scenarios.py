"""Scenarios that use up an error budget, and the burn-rate alerts that must fire."""

from typing import Final

from support.observability.alert_scenarios import (
    DELIVERED,
    GONE,
    HEALTHY,
    MET,
    MISSED,
    ORDER,
    POLLER_AGE,
    REQUESTS,
    STEP_SECONDS,
    UP,
    Event,
    Line,
    Scenario,
    answers,
    dead_letters,
    happens,
)

ERRORS: Final = answers("api", ORDER, 503)
IDLE: Final = {name: Line(line.start) for name, line in HEALTHY.items()}
OF_EXPORTER: Final = [name for name in HEALTHY if 'job="swapshop-exporter"' in name]
RESTARTED: Final = {name: Line(0, line.slope) for name, line in HEALTHY.items() if REQUESTS in name}
OF_REQUESTS: Final = {
    name: line
    for name, line in HEALTHY.items()
    if any(part in name for part in (REQUESTS, "up{", "durable", "swapshop_orders{", POLLER_AGE))
    and name != UP["exporter"]
}
"""Enough for the objectives of requests: days of all series take long."""

THREE_DAYS: Final = 3 * 24 * 60
WINDOWS: Final = ("1h", "6h", "1d", "3d")


def all_windows(alert: str) -> set[str]:
    """The alert, for each of its windows: after one hour of history they all see the same."""
    return {f"{alert} {window}" for window in WINDOWS}


def errors(share: float, *, hours: float, burn: set[str]) -> Scenario:
    """After three days without an error, this share of requests is answered by a 503."""
    event = Event(THREE_DAYS, {ERRORS: Line(0, 360 * share / (1 - share))})
    return Scenario(
        [event],
        before=OF_REQUESTS,
        evaluated_every=600,
        firing={
            THREE_DAYS - 10: set(),
            THREE_DAYS + int(hours * 60): {f"ApiAvailabilityBurn {window}" for window in burn},
        },
    )


QUIET: Final = {minute: set[str]() for minute in (1, 5, 30, 60, 90, 180)}

BURNS: Final = {
    "idle": Scenario([], before=IDLE, firing=QUIET, pages=QUIET),
    "healthy": Scenario([], firing=QUIET, pages=QUIET),
    "5 % errors page": errors(0.05, hours=0.5, burn={"1h"}),
    "1 % errors page after hours": errors(0.01, hours=4, burn={"6h"}),
    "0.35 % errors are a ticket after a day": errors(0.0035, hours=22, burn={"1d", "3d"}),
    "0.15 % errors are a ticket after days": errors(0.0015, hours=52, burn={"3d"}),
    "errors of other routes do not": happens(
        60, {answers("api", "/internal/auth/token", 503): Line(0, 300)}, m60=set()
    ),
    "slow answers page": happens(
        60,
        {answers("api", ORDER, 200, "0.25"): Line(36000, 200)},
        m50=all_windows("ApiLatencyBurn"),
    ),
    "a stream may be long": happens(
        0, {answers("receiver", "/api/notifications/stream", 200): Line(0, 300)}, m60=set()
    ),
    "low traffic does not": Scenario(
        [],
        before={
            **IDLE,
            ERRORS: Line(0, 0.1),
            MISSED: Line(0, 0.02),
            dead_letters("exhausted"): Line(0, 0.02),
        },
        firing={30: set(), 180: set()},
    ),
    # The pods restart, and a backup is restored.
    "counter reset does not": Scenario(
        [
            Event(
                60,
                {
                    **RESTARTED,
                    ERRORS: Line(0),
                    MET: Line(1000, 30),
                    MISSED: Line(900),
                    dead_letters("poison"): Line(40),
                    DELIVERED: Line(1000, 30),
                },
            )
        ],
        before={
            **HEALTHY,
            ERRORS: Line(5000),
            MISSED: Line(999),
            dead_letters("poison"): Line(50),
        },
        firing={minute: set() for minute in (59, 61, 65, 90)},
        pages={minute: set() for minute in (59, 61, 63, 65, 90, 125)},
    ),
    "a stale poller spends its budget": happens(
        60, {POLLER_AGE: Line(0, STEP_SECONDS)}, m25={"PollerStale", "PollerFreshnessBurn 1h"}
    ),
    "dead letters by the dozen page": happens(
        60,
        {dead_letters("exhausted"): Line(0, 3)},
        # The gate of three days has not seen enough events yet.
        m45=all_windows("DeliveryBurn") - {"DeliveryBurn 3d"},
    ),
    "notified deadline missed pages": happens(
        60, {MISSED: Line(0, 15), MET: Line(3600, 15)}, m45=all_windows("NotifiedBurn")
    ),
    "deadlines missed while the exporter was away": Scenario(
        [
            Event(60, dict.fromkeys(OF_EXPORTER, GONE)),
            Event(
                80,
                {
                    **{name: HEALTHY[name] for name in OF_EXPORTER},
                    DELIVERED: Line(3600, 30),
                    MET: Line(3600, 30),
                    MISSED: Line(1200),
                },
            ),
        ],
        firing={72: {"ExporterFailing"}, 84: {"NotifiedBurn 1h", "NotifiedBurn 6h"}},
        pages={79: set()},
    ),
}
