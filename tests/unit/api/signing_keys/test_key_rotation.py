"""Rotation at any time: whoever may hold a token, no verifier ever meets a key it does not know."""

import asyncio
import shutil
import tempfile
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import httpx
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from support.api.accounts import Clock
from swapshop_api.signing_keys.access_tokens import ACCESS_TOKEN_SECONDS
from swapshop_api.signing_keys.domain import (
    JWKS_MAX_AGE_SECONDS,
    RotationRefused,
    SigningKeys,
    create_if_missing,
    rotate,
)
from swapshop_kit.access_tokens import AccessTokenVerifier
from swapshop_kit.jwks import JwksClient

_MAX_LAG = 290.0
"""Seconds for a new file to reach every pod: the five minutes, less the file's own check."""

_pods = st.integers(0, 1)


def _run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(coroutine)


class Rotation(RuleBasedStateMachine):
    """Two pods see the file late; two verifiers keep a key set for five minutes."""

    @initialize()
    def start(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="swapshop-keys-"))
        self.clock = Clock()
        self.file = self.folder / "keys.json"
        create_if_missing(self.file, self.clock)
        self.copies = [self.folder / f"pod{number}.json" for number in range(2)]
        for copy in self.copies:
            shutil.copy(self.file, copy)
        self.late_since: list[float | None] = [None, None]
        self.pods = [SigningKeys.open(copy, self.clock) for copy in self.copies]
        self.tokens: list[tuple[float, str]] = []
        self.asks = [0, 0]
        self.fetches = [0, 0]
        self.key_sets = [self._key_set(number) for number in range(2)]
        self.verifiers = [
            AccessTokenVerifier(keys, "swapshop", "swapshop", self.clock) for keys in self.key_sets
        ]

    def _key_set(self, number: int) -> JwksClient:
        def answer(_: httpx.Request) -> httpx.Response:
            self.fetches[number] += 1
            return httpx.Response(200, json=self.pods[self.asks[number]].jwks())

        http = httpx.AsyncClient(transport=httpx.MockTransport(answer))
        return JwksClient(http, "http://api/.well-known/jwks.json", self.clock)

    @rule(seconds=st.sampled_from([1, 29, 60, 150, 299]), pod=_pods)
    def pass_time(self, seconds: float, pod: int) -> None:
        end = self.clock.now + seconds
        for number, since in enumerate(self.late_since):
            if since is not None and since + _MAX_LAG <= end:
                self.clock.now = max(self.clock.now, since + _MAX_LAG)
                self._reach(number)
        self.clock.now = end
        self.asks = [pod, 1 - pod]

    @rule()
    def rotate(self) -> None:
        try:
            rotate(self.file, self.clock)
        except RotationRefused:
            return
        self.late_since = [self.clock.now, self.clock.now]

    @rule(pod=_pods)
    def see_the_new_file(self, pod: int) -> None:
        self._reach(pod)

    def _reach(self, pod: int) -> None:
        self.late_since[pod] = None
        shutil.copy(self.file, self.copies[pod])

    @rule(pod=_pods)
    def sign(self, pod: int) -> None:
        claims = {"iss": "swapshop", "aud": "swapshop", "sub": "1", "rol": "customer"}
        now = int(self.clock.now)
        claims |= {"jti": str(len(self.tokens)), "iat": now, "exp": now + ACCESS_TOKEN_SECONDS}
        self.tokens.append((now + ACCESS_TOKEN_SECONDS, self.pods[pod].sign(claims)))

    @invariant()
    def every_live_token_verifies_with_the_kept_set(self) -> None:
        self.tokens = [each for each in self.tokens if each[0] > self.clock.now]
        for number, verifier in enumerate(self.verifiers):
            _run(self.key_sets[number].current())  # fetched anew if five minutes old
            fetches = self.fetches[number]
            for _, token in self.tokens:
                assert _run(verifier.verify(token)).sub == "1"
            assert self.fetches[number] == fetches, "an unknown kid"

    def teardown(self) -> None:
        shutil.rmtree(self.folder)


TestRotation = Rotation.TestCase
TestRotation.settings = settings(max_examples=60, stateful_step_count=40)


def test_a_token_signed_just_before_its_keys_successor_verifies_until_it_expires(
    tmp_path: Path,
) -> None:
    clock = Clock()
    create_if_missing(tmp_path / "keys.json", clock)
    keys = SigningKeys.open(tmp_path / "keys.json", clock)
    rotate(tmp_path / "keys.json", clock)
    clock.now += 599
    issued = int(clock.now)
    token = keys.sign(
        {
            "iss": "swapshop",
            "aud": "swapshop",
            "sub": "1",
            "jti": "1",
            "rol": "customer",
            "iat": issued,
            "exp": issued + ACCESS_TOKEN_SECONDS,
        }
    )
    for clock.now in range(issued, issued + ACCESS_TOKEN_SECONDS):
        fresh = AccessTokenVerifier(keys, "swapshop", "swapshop", clock)
        assert _run(fresh.verify(token)).exp == issued + ACCESS_TOKEN_SECONDS


def test_verifiers_may_keep_the_set_for_as_long_as_the_rotation_waits_for() -> None:
    assert JWKS_MAX_AGE_SECONDS == 300
