"""The circuit: after a failure callers skip Redis for a second."""

from swapshop_kit.redis import CIRCUIT_OPEN_SECONDS, Circuit


class _Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_circuit_is_closed_until_a_call_fails() -> None:
    assert not Circuit().is_open
    assert not Circuit(_Clock()).is_open


def test_it_opens_for_one_second() -> None:
    clock = _Clock()
    circuit = Circuit(clock)
    clock.now = 100.0
    circuit.trip()

    assert circuit.is_open
    clock.now += CIRCUIT_OPEN_SECONDS - 0.001
    assert circuit.is_open
    clock.now += 0.001
    assert not circuit.is_open


def test_another_failure_opens_it_anew() -> None:
    clock = _Clock()
    circuit = Circuit(clock)
    circuit.trip()
    clock.now = 0.9
    circuit.trip()
    clock.now = 1.5

    assert circuit.is_open
