"""Faults of SwapShop, and the alerts that must fire."""

from typing import Final

from support.observability.alert_scenarios import (
    DELIVERED,
    GONE,
    HEALTHY,
    MET,
    POLLER_AGE,
    STEP_SECONDS,
    UP,
    Event,
    Line,
    Scenario,
    answers,
    dead_letters,
    deliveries,
    gone,
    happens,
    of,
    placing,
)
from support.observability.burn_scenarios import IDLE, OF_EXPORTER

ALONE: Final = Line(1)
ASKED: Final = Line(0, 5)
ONE_A_STEP: Final = Line(0, 1)
AFTER_60: Final = {minute: set[str]() for minute in (61, 63, 65, 70, 75, 80, 95, 125)}
LEASES: Final = "/internal/dispatch/leases"
SMALL_SHOP: Final = {
    **IDLE,
    answers("api", "/api/orders/{order_id}", 200): Line(0, 0.4),
    placing(201): Line(0, 0.5),
}
"""48 reads and 60 orders an hour: below every traffic gate."""


def security_events(labels: str) -> str:
    """Return the api's series of a security event and its outcome."""
    return of("api", "swapshop_security_events_total", labels)


SNAPSHOT: Final = of("exporter", "swapshop_pipeline_collect_duration_seconds")
VOLUME: Final = 'persistentvolumeclaim="data-swapshop-mysql-0"'
GROUP: Final = 'rule_group="swapshop-slo"'
EMAIL: Final = 'integration="email"'
FREE: Final = of("kubelet", "kubelet_volume_stats_available_bytes", VOLUME)
SIZE: Final = {of("kubelet", "kubelet_volume_stats_capacity_bytes", VOLUME): Line(100)}
STUCK: Final = {
    of("exporter", "swapshop_orders_late"): Line(6),
    DELIVERED: Line(3600),
    MET: Line(3600),
}
FULL_REDIS: Final = {
    of("redis", "redis_memory_used_bytes"): Line(95),
    of("redis", "redis_memory_max_bytes"): Line(100),
}


def lag(within: str, slope: float) -> dict[str, Line]:
    return {of("api", "swapshop_event_loop_lag_seconds_bucket", f'le="{within}"'): Line(0, slope)}


PAGES: Final = {
    "no series at all": Scenario(
        [],
        before={of("prometheus", "up"): ALONE},
        firing={2: set(), 5: {"AllTargetsDown"}, 30: {"AllTargetsDown", "ExporterFailing"}},
        pages={1: {"AllTargetsDown"}, 30: {"AllTargetsDown"}},
    ),
    "receiver down": Scenario(
        [Event(60, gone('job="swapshop-receiver"'))],
        firing={62: set(), 65: {"ReceiverDown"}, 120: {"ReceiverDown"}},
        pages={59: set(), 61: {"ReceiverDown"}, 63: {"ReceiverDown"}, 120: {"ReceiverDown"}},
    ),
    "api down": Scenario(
        [Event(60, gone('job="swapshop-api"'))],
        firing={65: {"ApiDown"}},
        pages={59: set(), 61: {"ApiDown"}, 65: {"ApiDown"}},
    ),
    "api and receiver down": Scenario(
        [Event(60, gone('job="swapshop-api"') | gone('job="swapshop-receiver"'))],
        firing={65: {"ApiDown", "ReceiverDown"}},
        pages={61: {"ApiDown", "ReceiverDown"}},
    ),
    "MySQL down": happens(60, {of("mysql", "mysql_up"): Line(0)}, m3={"MysqlDown"}),
    "a MySQL without an exporter down": Scenario(
        [Event(60, {answers("api", LEASES, 200): Line(600), answers("api", LEASES, 503): ASKED})],
        before={**HEALTHY, answers("api", LEASES, 200): ASKED},
        firing={60: set(), 66: {"MysqlDown"}},
    ),
    "some leases fail": Scenario(
        [Event(60, {answers("api", LEASES, 503): ASKED})],
        before={**HEALTHY, answers("api", LEASES, 200): ASKED},
        firing={66: set()},
    ),
    "a small shop answers every order by a 500": Scenario(
        [Event(60, {placing(201): Line(60), placing(500): ONE_A_STEP})],
        before=SMALL_SHOP,
        firing={74: set(), 78: {"OrdersFailing"}, 420: {"OrdersFailing"}},
        pages={74: set()},
    ),
    "a small shop answers every order by a 503 from its first on": Scenario(
        [Event(60, {placing(503): ONE_A_STEP})],
        before={**SMALL_SHOP, placing(201): Line(0)},
        firing={61: set(), 65: {"OrdersFailing"}},
    ),
    "one order fails, and nobody orders": Scenario(
        [Event(60, {placing(503): Line(1)})], before=IDLE, firing=AFTER_60, pages=AFTER_60
    ),
    "two orders fail, and nobody orders": Scenario(
        [Event(60, {placing(503): Line(2)})], before=IDLE, firing=AFTER_60, pages=AFTER_60
    ),
    "orders fail beside others that do not": Scenario(
        [Event(60, {placing(503): Line(0, 0.5)})], before=SMALL_SHOP, firing=AFTER_60
    ),
    "orders are refused for what they are": Scenario(
        [
            Event(
                60,
                {
                    placing(status, le): ONE_A_STEP
                    for status in (401, 409, 413, 422)
                    for le in (None, "0.25")
                },
            )
        ],
        before=IDLE,
        firing=AFTER_60,
        pages=AFTER_60,
    ),
    "a pod that counted failed orders restarts": Scenario(
        [Event(60, {placing(503): Line(0)})],
        before={**IDLE, placing(503): Line(40)},
        firing={59: set(), **AFTER_60},
        pages=AFTER_60,
    ),
    "MySQL is back, and nobody has ordered since": Scenario(
        [
            Event(60, {of("mysql", "mysql_up"): Line(0), placing(503): ONE_A_STEP}),
            Event(80, {of("mysql", "mysql_up"): ALONE, placing(503): Line(40)}),
        ],
        before=IDLE,
        firing={79: {"MysqlDown", "OrdersFailing"}, 87: set(), 95: set()},
    ),
    "stale poller": Scenario(
        [Event(60, {POLLER_AGE: Line(0, STEP_SECONDS)})],
        firing={62: set(), 65: set(), 66: {"PollerStale"}},
        pages={62: set(), 64: {"PollerStale"}},
    ),
    # The exporter's figures are absent meanwhile; a lease is seen a snapshot and a scrape later.
    "MySQL is back, and the next poller comes within two minutes": Scenario(
        [
            Event(60, dict.fromkeys(OF_EXPORTER, GONE)),
            Event(
                68,
                {
                    **{name: HEALTHY[name] for name in OF_EXPORTER},
                    POLLER_AGE: Line(480, STEP_SECONDS),
                },
            ),
            Event(70, {POLLER_AGE: Line(15)}),
        ],
        firing={minute: set() for minute in (67, 69, 70, 71, 75)},
        pages={69: {"PollerStale"}, 71: set()},
    ),
    "no poller ever came": Scenario(
        [],
        before={name: line for name, line in HEALTHY.items() if name != POLLER_AGE},
        firing={4: set(), 8: {"PollerStale"}, 60: {"PollerStale", "PollerFreshnessBurn 1h"}},
        pages={4: set()},
    ),
    "the webhook secret is wrong": happens(
        60,
        {answers("receiver", "/webhooks/order-ready", 401): Line(0, 6)},
        m8={"PeerMisconfigured"},
    ),
    "the poller's client secret is wrong": happens(
        60, {answers("api", "/internal/auth/token", 401): Line(0, 6)}, m8={"PeerMisconfigured"}
    ),
    "a poller that stays tells of a redirect": happens(
        60,
        {of("poller", "swapshop_poller_misconfigurations_total", 'peer="receiver"'): Line(0, 6)},
        m8={"PeerMisconfigured"},
    ),
    "a customer without a token is no misconfiguration": happens(
        60,
        {
            answers("api", "/api/orders", 401): Line(0, 6),
            answers("receiver", "/api/notifications", 401): Line(0, 6),
        },
        m8=set(),
    ),
    "nothing is delivered": happens(60, STUCK, m14=set(), m21={"NotificationsStuck"}),
    "dead and blocked orders are late, but not stuck": happens(
        60,
        {
            **STUCK,
            of("exporter", "swapshop_orders_blocked"): Line(3),
            of("exporter", "swapshop_orders_given_up"): Line(3),
            deliveries("DEAD"): Line(3),
        },
        m30={"DeadLetters", "OrdersBlocked"},
    ),
    "an order lost": Scenario(
        [Event(60, {of("exporter", "swapshop_orders_unaccounted"): ALONE})],
        firing={60: set(), 62: {"OrdersUnaccounted"}},
    ),
    "an order without a delivery": happens(
        60,
        {of("exporter", "swapshop_orders_processed_without_delivery"): ALONE},
        m2={"OrdersWithoutDelivery"},
    ),
}

TICKETS: Final = {
    "dead letter": happens(
        60, {dead_letters("conflict"): ALONE, deliveries("DEAD"): ALONE}, m30={"DeadLetters"}
    ),
    "an order is blocked": happens(
        60, {of("exporter", "swapshop_orders_blocked"): ALONE}, m2={"OrdersBlocked"}
    ),
    "one poller died": happens(
        60, {of("exporter", "swapshop_lease_expirations_total"): Line(100)}, m5=set(), m35=set()
    ),
    "pollers die all the time": happens(
        60,
        {of("exporter", "swapshop_lease_expirations_total"): Line(0, 0.1)},
        m20=set(),
        m35={"LeasesExpiring"},
    ),
    "snapshots fail now and then": happens(
        60,
        {of("exporter", "swapshop_pipeline_collect_errors_total"): Line(0, 1)},
        m15={"ExporterFailing"},
    ),
    "snapshots are slow": happens(60, {SNAPSHOT: Line(12)}, m29=set(), m31={"SnapshotSlow"}),
    "one snapshot in ten minutes is slow": Scenario(
        [
            Event(start + after, {SNAPSHOT: Line(seconds)})
            for start in range(60, 120, 10)
            for after, seconds in ((0, 40), (1, 0.1))
        ],
        firing={89: set(), 92: {"SnapshotSlow"}, 119: {"SnapshotSlow"}},
    ),
    "one snapshot is slow": Scenario(
        [Event(60, {SNAPSHOT: Line(40)}), Event(61, {SNAPSHOT: Line(0.1)})], firing=AFTER_60
    ),
    "a metric vanished": happens(
        60, gone("swapshop_orders_unaccounted"), m10=set(), m16={"MetricVanished"}
    ),
    "one pod of two down": Scenario(
        [Event(60, {UP["api"]: Line(0)})],
        before={**HEALTHY, of("api", "up", 'instance="api-2"'): ALONE},
        firing={65: set(), 71: {"TargetDown"}},
        pages={71: set()},
    ),
    "the database is not durable": happens(
        60,
        {of("api", "swapshop_database_durable", 'pool="api"'): Line(0)},
        m6={"DatabaseNotDurable"},
    ),
    "connections run out": happens(
        0,
        {
            of("mysql", "mysql_global_status_threads_connected"): Line(0, 5),
            of("mysql", "mysql_global_variables_max_connections"): Line(200),
        },
        m25=set(),
        m28={"MysqlConnectionsNearLimit"},
    ),
    "Redis down": happens(60, {of("redis", "redis_up"): Line(0)}, m6={"RedisDown"}),
    "a full cache that drops nothing": happens(0, FULL_REDIS, m90=set()),
    "a full cache that drops keys": happens(
        0,
        {**FULL_REDIS, of("redis", "redis_evicted_keys_total"): Line(0, 5)},
        m62={"RedisMemoryNearLimit"},
    ),
    "writers do not reach Redis": happens(
        0,
        {of("api", "swapshop_cache_write_failures_total", 'script="clear"'): Line(0, 1)},
        m12={"CacheWritesFailing"},
    ),
    "streams poll": happens(
        0, {of("receiver", "swapshop_notification_hub_listening"): Line(0)}, m11={"StreamsPolling"}
    ),
    "a volume that stays as full": happens(0, {**SIZE, FREE: Line(20)}, m60=set()),
    "a volume that fills up": happens(0, {**SIZE, FREE: Line(25, -0.01)}, m20={"VolumeFillingUp"}),
    "a volume that is almost full": happens(0, {**SIZE, FREE: Line(9)}, m20={"VolumeFillingUp"}),
    "the event loop is blocked": happens(
        0, {**lag("0.1", 90), **lag("0.5", 100), **lag("+Inf", 100)}, m12={"EventLoopBlocked"}
    ),
    "refresh tokens are reused": happens(
        0,
        {security_events('event="refresh",outcome="reused"'): Line(0, 0.2)},
        m40={"RefreshTokensReused"},
    ),
    "passwords are guessed": happens(
        0,
        {
            security_events('event="login",outcome="ok"'): Line(0, 0.5),
            security_events('event="login",outcome="refused"'): Line(0, 10),
            security_events('event="login",outcome="limited"'): Line(0, 5),
        },
        m20={"LoginsRefused"},
    ),
    "many people sign in, and some mistype": happens(
        0,
        {
            security_events('event="login",outcome="ok"'): Line(0, 100),
            security_events('event="login",outcome="refused"'): Line(0, 20),
        },
        m60=set(),
    ),
    "ended sessions are not read": happens(
        0,
        {of("receiver", "swapshop_ended_sessions_age_seconds"): Line(0, 60)},
        m11={"EndedSessionsStale"},
    ),
    "a certificate expires": happens(
        0,
        {of("ingress", "traefik_tls_certs_not_after", 'cn="shop.test"'): Line(14 * 86400 + 60)},
        m62={"CertificateExpiresSoon"},
    ),
    "rules fail": happens(
        0,
        {of("prometheus", "prometheus_rule_evaluation_failures_total", GROUP): Line(0, 1)},
        m17={"RulesFailing"},
    ),
    "alerts are not delivered": happens(
        0,
        {of("alertmanager", "alertmanager_notifications_failed_total", EMAIL): Line(0, 1)},
        m17={"AlertsUndelivered"},
    ),
}
