"""The checker accepts a sound history, and finds each promise that a history breaks."""

import random
from dataclasses import replace
from typing import Any, Final

import pytest

from chaos.checker import FIGURES, STALE_SECONDS, judge
from chaos.faults import schedule
from chaos.history import Disturbance, History, Kind, Operation, Outcome

PLACED_AT: Final = 1_000.0
PROCESSED_AT: Final = 1_010.0


def order(number: int, *, processed: bool, owner: str = "ana", **changes: Any) -> dict[str, Any]:
    """Return an order as the api shows it."""
    times = ("PROCESSED", "1970-01-01T00:16:50.000000Z") if processed else ("PENDING", None)
    estado, processed_at = times
    return {
        "id": f"order {number}",
        "cliente": f"{owner} {number}",
        "total": 24.9,
        "estado": estado,
        "processed_at": processed_at,
        **changes,
    }


def notification(number: int, *, owner: str = "ana", **changes: Any) -> dict[str, Any]:
    """Return the notification of an order."""
    return {
        "id": f"msg_{number}",
        "order_id": f"order {number}",
        "cliente": f"{owner} {number}",
        "total": 24.9,
        "read_at": None,
        **changes,
    }


def operation(
    kind: Kind,
    at: float,
    value: Any,
    *,
    client: str = "ana",
    subject: str = "",
    outcome: Outcome = "ok",
    status: int | None = None,
    **more: Any,
) -> Operation:
    """Return an operation that takes a tenth of a second."""
    usual = 201 if kind == "create" else 200
    return Operation(
        client, kind, subject, at, at + 0.1, outcome,
        status or (usual if outcome == "ok" else None), value=value, **more,
    )  # fmt: skip


def create(number: int, at: float = PLACED_AT, **changes: Any) -> Operation:
    """Return the placing of an order with a key."""
    changes.setdefault("value", order(number, processed=False))
    changes.setdefault("key", f"key {number}")
    return operation("create", at, subject=f"ana {number}", **changes)


def read(number: int, at: float, *, processed: bool, **changes: Any) -> Operation:
    """Return the reading of an order."""
    changes.setdefault("value", order(number, processed=processed))
    return operation("read", at, subject=f"order {number}", **changes)


def sound() -> History:
    """Return two orders placed, one of them twice, processed, notified and streamed."""
    operations = [
        operation("stream", 990, None, subject="stream 1"),
        create(1),
        create(1, 1_001, replayed=True),
        create(2),
        read(1, 1_002, processed=False),
        operation("read", 1_003, None, client="eva", subject="order 1", outcome="fail",
                  status=404, code="order_not_found"),
        operation("mark", 1_010, order(1, processed=True), client="operator", subject="order 1"),
        read(1, 1_011, processed=True),
        operation("event", 1_012, notification(1), subject="stream 1"),
        operation("event", 1_013, notification(2), subject="stream 1"),
        operation("orders", 1_020, [order(1, processed=True), order(2, processed=True)]),
        operation("notifications", 1_021, [notification(1), notification(2)]),
        operation("dead", 1_022, [], client="operator"),
    ]  # fmt: skip
    return History(frozenset({"operator"}), operations)


def found(*added: Operation, disturbances: tuple[Disturbance, ...] = ()) -> set[str]:
    """Return the kinds of violations in a sound history to which operations were added."""
    history = sound()
    history.operations += added
    history.disturbances += disturbances
    return {violation.kind for violation in judge(history).violations}


def without(kind: Kind, *items: Any) -> set[str]:
    """Return the kinds of violations when the last list of a kind holds only some items."""
    history = sound()
    history.operations = [
        replace(each, value=list(items)) if each.kind == kind else each
        for each in history.operations
    ]
    return {violation.kind for violation in judge(history).violations}


def test_a_sound_history_breaks_no_promise() -> None:
    verdict = judge(sound())
    assert verdict.violations == []
    assert (verdict.acknowledged, verdict.notified, verdict.excused) == (2, 2, 0)


def test_an_acknowledged_order_that_a_later_list_lacks_is_lost() -> None:
    assert "lost" in without("orders", order(1, processed=True))


def test_an_acknowledged_order_that_is_answered_404_is_lost() -> None:
    gone = operation(
        "read", 1_004, None, subject="order 1", outcome="fail", status=404, code="order_not_found"
    )
    assert found(gone) == {"lost"}


def test_an_order_without_its_notification_at_the_end_is_lost() -> None:
    assert "lost" in without("notifications", notification(1))


def test_a_notification_that_was_streamed_and_is_not_listed_is_lost() -> None:
    assert found(operation("event", 1_014, notification(3), subject="stream 1")) >= {"lost"}


def test_a_request_without_an_answer_may_have_placed_its_order_or_not() -> None:
    assert found(create(3, outcome="unknown", value=None)) == set()


def test_one_key_that_placed_two_orders_is_doubled() -> None:
    again = create(1, 1_005, replayed=True, value=order(1, processed=False, id="order 9"))
    assert "doubled" in found(again)


def test_an_unanswered_request_and_its_repetition_that_both_placed_an_order_are_doubled() -> None:
    both = [order(1, processed=True), order(2, processed=True)]
    twice = order(1, processed=True, id="order 9")
    assert "doubled" in found(operation("orders", 1_030, [*both, twice]))


def test_a_key_that_places_another_order_is_doubled() -> None:
    other = operation(
        "reuse", 1_005, order(3, processed=False), subject="ana 3", key="key 1", status=201
    )
    assert found(other) >= {"doubled"}


def test_a_refused_key_names_the_order_that_it_placed() -> None:
    def refused(order_id: str) -> Operation:
        return operation(
            "reuse", 1_005, {"order_id": order_id}, subject="ana 3", key="key 1",
            outcome="fail", status=422, code="idempotency_key_reused",
        )  # fmt: skip

    assert found(refused("order 1")) == set()
    assert found(refused("order 2")) == {"unequal"}


def test_two_notifications_of_one_order_are_doubled() -> None:
    listed = [notification(1), notification(2), notification(1, id="msg_9")]
    assert "doubled" in found(operation("notifications", 1_030, listed))


def test_an_entry_that_is_twice_in_one_list_is_doubled() -> None:
    assert without("notifications", notification(1), notification(2), notification(1)) == {
        "doubled"
    }


def test_an_order_that_was_processed_and_is_pending_later_is_stale() -> None:
    assert found(read(1, 1_012, processed=False)) == {"stale"}


def test_an_order_whose_notification_was_seen_and_is_pending_later_is_stale() -> None:
    assert found(read(2, 1_014, processed=False)) == {"stale"}


def test_two_reads_at_one_time_may_see_either_state() -> None:
    assert found(read(1, 1_010.05, processed=False)) == set()


@pytest.mark.parametrize(
    ("disturbance", "after", "expected"),
    [
        (Disturbance("cache", PROCESSED_AT - 5, PROCESSED_AT + 1), 5.0, set[str]()),
        (Disturbance("cache", PROCESSED_AT - 5, PROCESSED_AT + 1), STALE_SECONDS + 1, {"stale"}),
        (Disturbance("cache", PROCESSED_AT - 60, PROCESSED_AT - 50), 5.0, {"stale"}),
        (Disturbance("cache", PROCESSED_AT + 12, PROCESSED_AT + 15), 5.0, {"stale"}),
        (Disturbance("writer", PROCESSED_AT + 10, PROCESSED_AT + 12), 5.0, set[str]()),
        (Disturbance("writer", PROCESSED_AT - 1, PROCESSED_AT + 1), 5.0, {"stale"}),
    ],
)
def test_a_read_may_be_stale_for_32_seconds_after_a_write_that_was_disturbed(
    disturbance: Disturbance, after: float, expected: set[str]
) -> None:
    stale = read(1, PROCESSED_AT + 0.1 + after, processed=False)
    assert found(stale, disturbances=(disturbance,)) == expected


def test_a_list_is_never_stale() -> None:
    disturbance = Disturbance("cache", PROCESSED_AT - 5, PROCESSED_AT + 1)
    listed = [order(1, processed=False), order(2, processed=True)]
    stale = operation("orders", 1_015, listed)
    assert found(stale, disturbances=(disturbance,)) == {"stale"}


@pytest.mark.parametrize("kind", ["read", "orders", "notifications", "event"])
def test_what_another_customer_sees_is_foreign(kind: Kind) -> None:
    shown = notification(1) if kind in ("notifications", "event") else order(1, processed=True)
    seen = operation(
        kind, 1_014, shown if kind in ("read", "event") else [shown], client="eva", subject="x"
    )
    assert "foreign" in found(seen)


def test_a_repetition_that_is_answered_otherwise_is_unequal() -> None:
    changed = order(1, processed=False, total=1)
    assert found(create(1, 1_005, replayed=True, value=changed)) == {"unequal"}


def test_two_answers_that_both_claim_to_be_the_first_are_unequal() -> None:
    assert found(create(1, 1_005)) == {"unequal"}


def test_an_order_that_changes_in_more_than_its_state_is_unequal() -> None:
    seen = read(1, 1_012, processed=True, value=order(1, processed=True, total=1))
    assert found(seen) == {"unequal"}


def test_an_order_that_is_processed_twice_is_unequal() -> None:
    later = order(1, processed=True, processed_at="1970-01-01T00:17:00.000000Z")
    assert found(read(1, 1_012, processed=True, value=later)) == {"unequal"}


def test_a_notification_of_another_total_is_unequal() -> None:
    wrong = operation("event", 1_014, notification(1, total=1), subject="stream 2")
    assert found(wrong) == {"unequal"}


def test_an_order_that_was_refused_and_exists_is_a_phantom() -> None:
    refused = create(3, outcome="fail", status=503, code="database_unavailable", value=None)
    listed = [order(number, processed=True) for number in (1, 2, 3)]
    assert "phantom" in found(refused, operation("orders", 1_030, listed))


def test_an_order_that_nobody_placed_is_a_phantom() -> None:
    listed = [order(number, processed=True) for number in (1, 2, 3)]
    assert "phantom" in found(operation("orders", 1_030, listed))


def test_a_delivery_that_was_given_up_is_found() -> None:
    given_up = operation("dead", 1_030, [{"id": "d", "order_id": "order 1"}], client="operator")
    assert found(given_up) == {"dead"}


def test_a_stream_that_gives_an_event_twice_breaks_its_contract() -> None:
    again = operation("event", 1_014, notification(1), subject="stream 1")
    assert found(again) == {"stream"}


def test_another_stream_may_give_an_event_again() -> None:
    assert found(operation("event", 1_014, notification(1), subject="stream 2")) == set()


def test_a_notification_that_no_stream_gave_breaks_its_contract() -> None:
    history = sound()
    history.operations = [
        each for each in history.operations if each.kind != "event" or each.value["id"] != "msg_2"
    ]
    assert {violation.kind for violation in judge(history).violations} == {"stream"}


@pytest.mark.parametrize(
    ("status", "code"), [(500, "internal_error"), (503, "other"), (401, "unauthenticated")]
)
def test_an_answer_that_no_outage_explains_is_unexpected(status: int, code: str) -> None:
    failed = read(1, 1_004, processed=False, value={}, outcome="unknown", status=status, code=code)
    assert found(failed) == {"unexpected"}


def test_a_history_without_orders_or_last_lists_proves_nothing() -> None:
    assert {violation.kind for violation in judge(History()).violations} == {"unexpected"}
    history = sound()
    history.operations = [
        each for each in history.operations if each.kind not in ("orders", "notifications")
    ]
    assert "unexpected" in {violation.kind for violation in judge(history).violations}


def test_every_violation_has_a_figure() -> None:
    verdict = judge(sound())
    assert {kind: verdict.count(kind) for kind in FIGURES} == dict.fromkeys(FIGURES, 0)


def test_one_seed_draws_one_schedule() -> None:
    def drawn(seed: int, stores: list[str]) -> list[Any]:
        return schedule(random.Random(seed), 600, ["api-a"], stores, ["api-a>redis"])

    assert drawn(7, ["database", "redis"]) == drawn(7, ["database", "redis"])
    assert drawn(7, ["database", "redis"]) != drawn(8, ["database", "redis"])
    kinds = {fault.kind for fault in drawn(7, ["database", "redis"])}
    assert kinds - {fault.kind for fault in drawn(7, [])} == {"kill store", "flush"}
