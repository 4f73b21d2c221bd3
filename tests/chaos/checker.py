"""Judges a history: was any order or notification lost, doubled, stale, or shown to another?

It knows nothing of how the system runs, so it judges runs on a cluster as well. The order of two
operations counts only where one had ended before the other began.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from chaos.history import History, Kind, Operation

STALE_SECONDS: Final = 32.0
"""How long a state may be stale after a disturbance of the cache (docs/architecture.md)."""
MARK_SECONDS: Final = 10.0
"""How long the mark of a writer, or the end of its transaction, may last."""
CLOCK_SECONDS: Final = 1.0
"""How far the clocks of clients and database may be apart."""

_UNAVAILABLE: Final = (503, "database_unavailable")
_UNKNOWN: Final = (503, "outcome_unknown")
_NO_KEYS: Final = (503, "keys_unavailable")
_IN_FLIGHT: Final = (409, "idempotency_in_flight")
_STOPPING: Final = (503, "server_stopping")
_NOT_FOUND: Final = (404, "order_not_found")
EXPECTED: Final[Mapping[Kind, set[tuple[int, str | None]]]] = {
    "create": {(201, None), _IN_FLIGHT, _UNAVAILABLE, _UNKNOWN},
    "reuse": {(422, "idempotency_key_reused"), _IN_FLIGHT, _UNAVAILABLE, _UNKNOWN},
    "read": {(200, None), _NOT_FOUND, _UNAVAILABLE, _STOPPING},
    "mark": {(200, None), _UNAVAILABLE, _UNKNOWN},
    "orders": {(200, None), _UNAVAILABLE, _STOPPING},
    "notifications": {(200, None), _UNAVAILABLE, _NO_KEYS, _STOPPING},
    "stream": {(200, None), _UNAVAILABLE, _NO_KEYS, _STOPPING, (429, "too_many_streams")},
    "event": {(200, None)},
    "dead": {(200, None), _UNAVAILABLE, _STOPPING},
}
"""Every answer that a client may get while parts of the system die."""


@dataclass(frozen=True, slots=True)
class Violation:
    """A broken promise."""

    kind: str
    """One of FIGURES."""
    text: str


FIGURES: Final = (
    "lost", "doubled", "stale", "foreign", "unequal", "phantom", "dead", "stream", "unexpected",
)  # fmt: skip
"""The kinds of violations:

- ``lost``: an acknowledged order, its notification, or something once seen, is missing.
- ``doubled``: one order was placed, or notified, twice.
- ``stale``: an order seen as PROCESSED was seen as PENDING later.
- ``foreign``: a customer saw what belongs to another.
- ``unequal``: a repetition was answered otherwise, or what never changes changed.
- ``phantom``: something is there that nobody placed, or whose placing was refused.
- ``dead``: a delivery was given up.
- ``stream``: a stream gave an event twice, or never gave one.
- ``unexpected``: an answer that no outage explains, or nothing to judge by.
"""


@dataclass(frozen=True)
class Verdict:
    """The checker's findings."""

    acknowledged: int
    """Orders answered 201 at least once."""
    notified: int
    """Of those, the ones with a notification in the last list."""
    excused: int
    """Stale reads that the contract allows."""
    violations: list[Violation]

    def count(self, kind: str) -> int:
        """Return the number of violations of a kind."""
        return sum(each.kind == kind for each in self.violations)


def judge(history: History) -> Verdict:
    """Judge a history whose last lists were read after the system had come to rest."""
    facts = _Facts(history)
    excused, stale = _stale(facts)
    rules: tuple[Callable[[_Facts], Iterator[Violation]], ...] = (
        _unjudgeable, _lost_orders, _lost_notifications, _doubled, _notified_twice, _foreign,
        _unequal, _changed, _notifications_changed, _phantom, _dead, _streams, _unexpected,
    )  # fmt: skip
    violations = [violation for rule in rules for violation in rule(facts)]
    notified = {
        item["order_id"] for items in facts.last_notifications.values() for item in items
    } & set(facts.acknowledged)
    return Verdict(len(facts.acknowledged), len(notified), excused, [*stale, *violations])


class _Facts:
    """The history, by what the rules ask of it."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.creates = history.of("create")
        self.acknowledged: dict[str, Operation] = {}
        """The first answer that named an order, by the order's id."""
        for create in self.creates:
            self.acknowledged.setdefault(create.value["id"], create)
        self.owners = {
            each.subject: each.client
            for each in history.operations
            if each.kind in ("create", "reuse")
        }
        """Who sent an order, by its ``cliente``."""
        self.last_orders = self._last("orders")
        self.last_notifications = self._last("notifications")
        self.tags = {id_: create.subject for id_, create in self.acknowledged.items()}
        """``cliente`` of each order that anybody saw, by id."""
        for order, _ in self.orders_seen():
            self.tags.setdefault(order["id"], order["cliente"])

    def _last(self, kind: Kind) -> dict[str, list[Any]]:
        return {
            each.client: each.value
            for each in self.history.of(kind)
            if not each.subject and each.client not in self.history.operators
        }

    def orders_seen(self) -> Iterator[tuple[dict[str, Any], Operation]]:
        """Yield every order in an answer with its current state."""
        for each in self.history.of("read", "mark"):
            yield each.value, each
        for each in self.history.of("orders"):
            for order in each.value:
                yield order, each

    def notifications_seen(self) -> Iterator[tuple[dict[str, Any], Operation]]:
        """Yield every notification of a list or a stream."""
        for each in self.history.of("event"):
            yield each.value, each
        for each in self.history.of("notifications"):
            for notification in each.value:
                yield notification, each

    def customers(self) -> set[str]:
        """Return the clients that placed orders."""
        return {each.client for each in self.creates}


def _unjudgeable(facts: _Facts) -> Iterator[Violation]:
    """A run without orders, or without a last list, proves nothing."""
    if not facts.acknowledged:
        yield Violation("unexpected", "no order was acknowledged")
    for client in sorted(facts.customers()):
        for name, lists in (
            ("orders", facts.last_orders),
            ("notifications", facts.last_notifications),
        ):
            if client not in lists:
                yield Violation("unexpected", f"{client} never got a list of {name}")
    if not facts.history.of("dead"):
        yield Violation("unexpected", "the deliveries given up were never listed")


def _lost_orders(facts: _Facts) -> Iterator[Violation]:
    """An acknowledged order is in every list that was asked for later, and can be read."""
    acknowledged: defaultdict[str, list[tuple[str, float]]] = defaultdict(list)
    for id_, create in facts.acknowledged.items():
        acknowledged[create.client].append((id_, create.ended))
    for listing in facts.history.of("orders"):
        if listing.subject:
            continue
        listed = {order["id"] for order in listing.value}
        for id_, ended in acknowledged[listing.client]:
            if ended < listing.invoked and id_ not in listed:
                yield Violation("lost", f"order {id_} is missing in a list of {listing.client}")
    for read in facts.history.operations:
        create = facts.acknowledged.get(read.subject)
        if (
            read.kind in ("read", "mark")
            and read.status == 404
            and create is not None
            and create.ended < read.invoked
            and read.client in {create.client, *facts.history.operators}
        ):
            yield Violation("lost", f"order {read.subject} was answered 404 to {read.client}")


def _lost_notifications(facts: _Facts) -> Iterator[Violation]:
    """At the end each order has its notification, and none that was seen is gone."""
    for client, items in facts.last_notifications.items():
        notified = {item["order_id"] for item in items}
        mine = {id_ for id_, create in facts.acknowledged.items() if create.client == client}
        mine |= {order["id"] for order in facts.last_orders.get(client, [])}
        for id_ in sorted(mine - notified):
            yield Violation("lost", f"order {id_} of {client} was never notified")
    seen: defaultdict[str, dict[str, float]] = defaultdict(dict)
    for item, operation in facts.notifications_seen():
        before = seen[operation.client].get(item["id"], operation.ended)
        seen[operation.client][item["id"]] = min(before, operation.ended)
    for listing in facts.history.of("notifications"):
        listed = {item["id"] for item in listing.value}
        for id_, ended in seen[listing.client].items():
            if ended < listing.invoked and id_ not in listed:
                yield Violation("lost", f"notification {id_} of {listing.client} is gone")


def _doubled(facts: _Facts) -> Iterator[Violation]:
    """An order that was sent once, or repeated with one key, is one order and one notification."""
    ids: defaultdict[str, set[str]] = defaultdict(set)
    for id_, tag in facts.tags.items():
        ids[tag].add(id_)
    for tag, found in ids.items():
        if len(found) > 1:
            yield Violation("doubled", f"the order of {tag} was placed as {sorted(found)}")
    for each in facts.history.of("reuse"):
        yield Violation("doubled", f"key {each.key} of {each.client} placed a second order")
    for listing in facts.history.of("notifications", "orders"):
        for id_, count in Counter(item["id"] for item in listing.value).items():
            if count > 1:
                text = f"{id_} is {count} times in one list of {listing.client}"
                yield Violation("doubled", text)


def _notified_twice(facts: _Facts) -> Iterator[Violation]:
    """An order has one notification."""
    webhooks: defaultdict[str, set[str]] = defaultdict(set)
    for item, _ in facts.notifications_seen():
        webhooks[item["order_id"]].add(item["id"])
    for id_, notifications in webhooks.items():
        if len(notifications) > 1:
            yield Violation("doubled", f"order {id_} was notified by {sorted(notifications)}")


def _foreign(facts: _Facts) -> Iterator[Violation]:
    """A customer sees their own."""
    for order, operation in facts.orders_seen():
        yield from _check_owner(facts, order["cliente"], operation)
    for item, operation in facts.notifications_seen():
        yield from _check_owner(facts, item["cliente"], operation)


def _check_owner(facts: _Facts, tag: str, operation: Operation) -> Iterator[Violation]:
    owner = facts.owners.get(tag, operation.client)
    if operation.client not in {owner, *facts.history.operators}:
        text = f"{operation.client} saw {tag} of {owner} by {operation.kind} {operation.subject}"
        yield Violation("foreign", text)


def _stale(facts: _Facts) -> tuple[int, list[Violation]]:
    """An order seen as PROCESSED, or whose notification was seen, is never PENDING later."""
    since: dict[str, float] = {}
    processed_at: dict[str, float] = {}
    for order, operation in facts.orders_seen():
        if order["estado"] == "PROCESSED":
            since[order["id"]] = min(since.get(order["id"], operation.ended), operation.ended)
            processed_at[order["id"]] = datetime.fromisoformat(order["processed_at"]).timestamp()
    for item, operation in facts.notifications_seen():
        id_ = item["order_id"]
        since[id_] = min(since.get(id_, operation.ended), operation.ended)
    excused, violations = 0, list[Violation]()
    for order, operation in facts.orders_seen():
        known = since.get(order["id"], operation.invoked)
        if order["estado"] != "PENDING" or operation.invoked <= known:
            continue
        late = operation.invoked - known
        changed = processed_at.get(order["id"])
        if (
            operation.kind == "read"
            and late <= STALE_SECONDS
            and changed is not None
            and _is_disturbed(facts.history, changed)
        ):
            excused += 1
        else:
            text = f"order {order['id']} was PENDING to {operation.kind} of {operation.client}"
            violations.append(Violation("stale", f"{text} {late:.3f} s after it was PROCESSED"))
    return excused, violations


def _is_disturbed(history: History, changed: float) -> bool:
    """Return whether a writer's script possibly failed, or it died after its mark ran out.

    Args:
        history: with the disturbances.
        changed: when the order was processed; its transaction ends at most MARK_SECONDS later.
    """
    for each in history.disturbances:
        begin, end = (
            (changed - CLOCK_SECONDS, changed + MARK_SECONDS)
            if each.kind == "cache"
            else (changed + MARK_SECONDS - CLOCK_SECONDS, changed + STALE_SECONDS)
        )
        if each.begin <= end and each.end >= begin:
            return True
    return False


def _unequal(facts: _Facts) -> Iterator[Violation]:
    """A repetition gets the first answer again."""
    answers: dict[str, Any] = {}
    fresh: Counter[str] = Counter()
    for create in facts.creates:
        if answers.setdefault(create.subject, create.value) != create.value:
            yield Violation("unequal", f"repetitions of {create.subject} got different answers")
        fresh[create.subject] += not create.replayed
    for tag, count in fresh.items():
        if count > 1:
            yield Violation("unequal", f"{count} answers for {tag} claim to be the first")


def _changed(facts: _Facts) -> Iterator[Violation]:
    """An order changes in its state only, and once."""
    known = {create.value["id"]: _fixed(create.value) for create in facts.creates}
    times: dict[str, str] = {}
    for order, operation in facts.orders_seen():
        id_ = order["id"]
        fixed = known.setdefault(id_, _fixed(order))
        if fixed != _fixed(order):
            yield Violation("unequal", f"order {id_} was changed, as {operation.client} saw it")
        if order["estado"] == "PROCESSED":
            at = times.setdefault(id_, order["processed_at"])
            if at != order["processed_at"]:
                yield Violation("unequal", f"order {id_} was processed at two times")


def _notifications_changed(facts: _Facts) -> Iterator[Violation]:
    """A notification matches its order, and only its read mark changes."""
    totals = {create.value["id"]: create.value["total"] for create in facts.creates}
    known: dict[str, Any] = {}
    for item, operation in facts.notifications_seen():
        content = {name: value for name, value in item.items() if name != "read_at"}
        if known.setdefault(item["id"], content) != content:
            text = f"notification {item['id']} was changed, as {operation.client} saw it"
            yield Violation("unequal", text)
        if totals.get(item["order_id"], item["total"]) != item["total"]:
            yield Violation("unequal", f"notification {item['id']} names another total")


def _fixed(order: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in order.items() if name not in ("estado", "processed_at")}


def _phantom(facts: _Facts) -> Iterator[Violation]:
    """Everything that is stored was sent, and not answered with a refusal."""
    outcomes: defaultdict[str, set[str]] = defaultdict(set)
    for each in facts.history.operations:
        if each.kind in ("create", "reuse"):
            outcomes[each.subject].add(each.outcome)
    for id_, tag in facts.tags.items():
        if tag not in outcomes:
            yield Violation("phantom", f"nobody placed order {id_} of {tag}")
        elif outcomes[tag] == {"fail"}:
            yield Violation("phantom", f"order {id_} of {tag} exists, though it was refused")
    strays = {
        item["order_id"]
        for item, _ in facts.notifications_seen()
        if item["order_id"] not in facts.tags
    }
    for id_ in sorted(strays):
        yield Violation("phantom", f"order {id_} was notified, and is in no list")


def _dead(facts: _Facts) -> Iterator[Violation]:
    """Outages by themselves make no delivery dead."""
    seen = {item["id"]: item for each in facts.history.of("dead") for item in each.value}
    for id_, item in seen.items():
        yield Violation("dead", f"delivery {id_} of order {item['order_id']} was given up")


def _streams(facts: _Facts) -> Iterator[Violation]:
    """A connection gives no event twice, and all connections of a client give every event."""
    events: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    given: defaultdict[str, set[str]] = defaultdict(set)
    for event in facts.history.of("event"):
        events[event.client, event.subject][event.value["id"]] += 1
        given[event.client].add(event.value["id"])
    for (client, connection), counts in events.items():
        for id_, count in counts.items():
            if count > 1:
                text = f"stream {connection} of {client} gave {id_} {count} times"
                yield Violation("stream", text)
    for client in sorted({each.client for each in facts.history.of("stream")}):
        listed = {item["id"] for item in facts.last_notifications.get(client, [])}
        for id_ in sorted(listed - given[client]):
            yield Violation("stream", f"no stream of {client} gave {id_}")


def _unexpected(facts: _Facts) -> Iterator[Violation]:
    """Answers are those of the contract."""
    for each in facts.history.operations:
        if each.status is not None and (each.status, each.code) not in EXPECTED[each.kind]:
            answer = f"{each.status} {each.code}"
            text = f"{each.kind} {each.subject} of {each.client} was answered {answer}"
            yield Violation("unexpected", text)
        if each.kind == "reuse" and each.status == 422:
            first = next((one for one in facts.creates if one.key == each.key), None)
            if first is not None and each.value.get("order_id") != first.value["id"]:
                yield Violation("unequal", f"key {each.key} names another order than it placed")
