"""An outage of the name server causes no other: lookups are retried, and answers are kept."""

import asyncio
import socket
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from swapshop_kit.name_lookup import Addresses, look_up

_TRY_AGAIN = socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
_UNKNOWN = socket.gaierror(socket.EAI_NONAME, "Name or service not known")


class _NameServer:
    """Gives each lookup its scripted answer: addresses, an error or, for None, no answer."""

    def __init__(self, *answers: Sequence[str] | socket.gaierror | None) -> None:
        self._answers = list(answers)
        self.asked: list[tuple[str, int]] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append((host, port))
        answer = self._answers.pop(0)
        if answer is None:
            await asyncio.Event().wait()
        if isinstance(answer, socket.gaierror):
            raise answer
        assert answer is not None
        return answer


async def test_a_lookup_that_fails_for_the_moment_is_repeated() -> None:
    names = _NameServer(_TRY_AGAIN, _TRY_AGAIN, ["10.0.0.1"])

    assert await Addresses("mysql", 3306, names).current() == ["10.0.0.1"]
    assert names.asked == [("mysql", 3306)] * 3


@pytest.mark.parametrize("failure", [_TRY_AGAIN, _UNKNOWN, None])
async def test_an_answer_once_known_is_kept(failure: socket.gaierror | None) -> None:
    addresses = Addresses("mysql", 3306, _NameServer(["10.0.0.1"], failure, ["10.0.0.2"]))

    assert [await addresses.current() for _ in range(3)] == [["10.0.0.1"]] * 2 + [["10.0.0.2"]]


async def test_a_name_that_does_not_exist_is_told_at_once() -> None:
    names = _NameServer(_UNKNOWN)
    with pytest.raises(socket.gaierror):
        await Addresses("mysql", 3306, names).current()
    assert len(names.asked) == 1


async def test_a_first_answer_may_be_waited_for_as_long_as_the_caller_likes() -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await Addresses("mysql", 3306, _NameServer(None)).current()


async def test_the_systems_resolver_knows_this_machine() -> None:
    assert "127.0.0.1" in await look_up("localhost", 3306)


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
async def test_an_address_waits_for_no_thread(address: str) -> None:
    executor = ThreadPoolExecutor(1)
    executor.shutdown()
    asyncio.get_running_loop().set_default_executor(executor)

    assert await look_up(address, 3306) == [address]
