"""Sessions over any history: no lost answer logs anyone out, and no thief keeps a session."""

import asyncio
from datetime import timedelta
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from support.auth import PASSWORD, api_container, api_settings, cheap_passwords, pass_time
from support.stores import Stores
from swapshop_api.auth.accounts import create_user
from swapshop_api.auth.domain import Auth
from swapshop_api.auth.problems import RefreshConflict, SessionEnded
from swapshop_api.auth.rotation import encode_token, new_token
from swapshop_kit.database import Database, create_engine
from swapshop_kit.redis import create_redis

_GRACE = 15.0
_NEVER = float("-inf")


class Sessions(RuleBasedStateMachine):
    """A customer whose answers get lost, a second tab, and a thief with a copy of the cookie."""

    def __init__(self, runner: asyncio.Runner, auth: Auth, database: Database) -> None:
        super().__init__()
        self._runner = runner
        self._auth = auth
        self._database = database
        self.now = 0.0
        self.used_at: dict[str, float] = {}
        """When the customer last presented each token."""
        self.successors: dict[str, str] = {}
        """What the customer last got for each token."""
        self.tab: str | None = None
        """The token before the one in the jar, which a second tab may still be sending."""
        self.stolen: str | None = None
        self.thief: str | None = None
        """The thief's newest token, once one was exchanged."""
        self.thief_came = False
        self.ended = False

    @initialize()
    def sign_in(self) -> None:
        token = new_token()

        async def work() -> None:
            nobody = f"{encode_token(token)}@example.com"
            await create_user(
                self._database,
                cheap_passwords(),
                nombre="Ana",
                email=nobody,
                password=PASSWORD,
                token=token,
            )

        self._runner.run(work())
        self.jar = encode_token(token)

    def _refresh(self, token: str) -> str | None:
        """Present a token; returns its successor, or None for a conflict."""
        try:
            return self._runner.run(self._auth.refresh(token)).refresh_token
        except RefreshConflict:
            return None
        except SessionEnded:
            self.ended = True
            return None

    @rule(seconds=st.sampled_from([6, 20, 600, 86_400]))
    @precondition(lambda self: self.now < 25 * 86_400)
    def pass_time(self, seconds: int) -> None:
        self._runner.run(pass_time(self._database, timedelta(seconds=seconds)))
        self.now += seconds

    @rule(answer_is_lost=st.booleans())
    def refresh(self, *, answer_is_lost: bool) -> None:
        successor = self._refresh(self.jar)
        if self.thief_came:
            if successor is None:
                return
        else:
            assert successor is not None, "the customer was logged out, or told to wait"
        self.used_at[self.jar] = self.now
        self.successors[self.jar] = successor
        if not answer_is_lost:
            self.tab, self.jar = self.jar, successor

    @rule()
    @precondition(lambda self: self.tab is not None and not self.thief_came)
    def refresh_in_a_second_tab_at_the_same_time(self) -> None:
        assert self.tab is not None
        if self.now - self.used_at[self.tab] > _GRACE:
            return
        successor = self._refresh(self.tab)
        assert not self.ended
        assert successor in (None, self.jar), "one token of a session is good, and both have it"
        if successor is None:
            assert self.jar in self.used_at
        else:
            self.used_at[self.tab] = self.now

    @rule()
    def steal(self) -> None:
        self.stolen = self.jar

    @rule()
    @precondition(lambda self: self.stolen is not None)
    def use_the_stolen_token(self) -> None:
        assert self.stolen is not None
        came_first = not self.thief_came
        self.thief_came = True
        successor = self._refresh(self.stolen)
        follower = self.successors.get(self.stolen, "")
        since = self.now - self.used_at.get(follower, _NEVER) if follower in self.used_at else 0.0
        if came_first and since > _GRACE:
            assert self.ended, "a stolen token came after its successor was used"
        if successor is not None:
            self.thief = successor

    def teardown(self) -> None:
        if self.ended:
            assert self.thief_came, "a session ended without a thief"
            for token in filter(None, (self.jar, self.thief, self.stolen)):
                assert self._refresh(token) is None
        elif self.thief is not None:
            self._let_both_go_on()
            assert self.ended, "a thief and the customer share a session for ever"
        elif not self.thief_came:
            assert self._refresh(self.jar) is not None

    def _let_both_go_on(self) -> None:
        assert self.thief is not None
        for _ in range(3):
            self.pass_time(20)
            self.jar = self._refresh(self.jar) or self.jar
            self.pass_time(20)
            self.thief = self._refresh(self.thief) or self.thief


def test_any_history_of_a_session(tmp_path: Path, sqlite_url: str) -> None:
    stores = Stores(sqlite_url, "redis://redis.invalid:6379/0")
    with asyncio.Runner() as runner:

        async def open_auth() -> tuple[Auth, Database]:
            database = Database(create_engine(sqlite_url))
            redis = create_redis(stores.redis_url)  # never asked
            container = api_container(api_settings(stores, tmp_path / "keys.json"), database, redis)
            return container.auth, database

        auth, database = runner.run(open_auth())

        class TheseSessions(Sessions):
            def __init__(self) -> None:
                super().__init__(runner, auth, database)

        try:
            run_state_machine_as_test(
                TheseSessions,
                settings=settings(max_examples=60, stateful_step_count=25),
            )
        finally:
            runner.run(database.close())
