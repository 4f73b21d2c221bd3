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

from support.api.accounts import PASSWORD, api_container, api_settings, cheap_passwords, pass_time
from support.stores.pairs import Stores
from swapshop_api.auth.domain.accounts import create_user
from swapshop_api.auth.domain.families import NewSession
from swapshop_api.auth.domain.sessions import Sessions
from swapshop_api.auth.problems import RefreshConflict, SessionEnded
from swapshop_api.auth.rotation import encode_token
from swapshop_kit.database import Database, create_engine
from swapshop_kit.redis import create_redis

_GRACE = 15.0
_WINDOW = 600.0


class SessionMachine(RuleBasedStateMachine):
    """A customer whose answers get lost, a second tab, a paused pod, and a thief of a cookie."""

    def __init__(self, runner: asyncio.Runner, sessions: Sessions, database: Database) -> None:
        super().__init__()
        self._runner = runner
        self._sessions = sessions
        self._database = database
        self.now = 0.0
        self.used_at: dict[str, float] = {}
        """When each token was first used."""
        self.successors: dict[str, set[str]] = {}
        """All that each token was exchanged for."""
        self.presented: list[str] = []
        """What the customer has sent, and a paused pod may still be about to read."""
        self.tab: str | None = None
        """The token before the one in the jar, which a second tab may still be sending."""
        self.late: str | None = None
        """What such a pod answered, to nobody."""
        self.is_watched = False
        """Whether there is a thief: without one, more of the customer's own is tried."""
        self.stolen: str | None = None
        self.thief: str | None = None
        """The thief's newest token, once one was exchanged."""
        self.thief_came = False
        self.ended = False

    @initialize(is_watched=st.booleans())
    def sign_in(self, *, is_watched: bool) -> None:
        self.is_watched = is_watched
        session = NewSession()

        async def work() -> None:
            nobody = f"{session.id}@example.com"
            await create_user(
                self._database,
                cheap_passwords(),
                nombre="Ana",
                email=nobody,
                password=PASSWORD,
                session=session,
            )

        self._runner.run(work())
        self.jar = encode_token(session.token)

    def _refresh(self, token: str, *, has_left: bool = False) -> str | None:
        """Present a token; returns its successor, or None for a conflict."""

        async def client_has_left() -> bool:
            return has_left

        try:
            session = self._runner.run(self._sessions.refresh(token, client_has_left))
        except RefreshConflict:
            return None
        except SessionEnded:
            self.ended = True
            return None
        successor = session.refresh_token
        self.used_at.setdefault(token, self.now)
        self.successors.setdefault(token, set()).add(successor)
        return successor

    def _is_void(self, token: str) -> bool:
        """Another successor of the same token was used instead."""
        return token not in self.used_at and any(
            token in siblings and siblings & self.used_at.keys()
            for siblings in self.successors.values()
        )

    def _ends_its_session(self, token: str) -> bool:
        """Only somebody who should not have the token would still send it."""
        if self._is_void(token):
            return True
        if token not in self.used_at:
            return False
        followed_at = [self.used_at[each] for each in self.successors[token] & self.used_at.keys()]
        if followed_at:
            return self.now - min(followed_at) > _GRACE
        return self.now - self.used_at[token] > _WINDOW

    # neither 15 s nor 10 min is a sum of them, or nearly one: the database's clock goes on as well
    @rule(seconds=st.sampled_from([6, 20, 590, 86_400]))
    @precondition(lambda self: self.now < 25 * 86_400)
    def pass_time(self, seconds: int) -> None:
        self._runner.run(pass_time(self._database, timedelta(seconds=seconds)))
        self.now += seconds

    @rule(answer_is_lost=st.booleans())
    def refresh(self, *, answer_is_lost: bool) -> None:
        is_too_late = self._ends_its_session(self.jar)
        successor = self._refresh(self.jar)
        if successor is None:
            assert self.thief_came or is_too_late, "the customer was logged out, or told to wait"
            return
        assert not is_too_late or self.thief_came
        self.presented.append(self.jar)
        if not answer_is_lost:
            self.tab, self.jar = self.jar, successor

    @rule()
    @precondition(lambda self: self.tab is not None and not self.thief_came and not self.ended)
    def refresh_in_a_second_tab_at_the_same_time(self) -> None:
        assert self.tab is not None
        if self._ends_its_session(self.tab):
            return
        successor = self._refresh(self.tab)
        assert not self.ended
        if successor is None:
            assert self.jar in self.used_at
        else:
            self.jar = successor  # the tabs share it

    @rule(data=st.data())
    @precondition(lambda self: self.presented and not self.thief_came and not self.ended)
    def run_a_request_whose_client_has_given_up(self, data: st.DataObject) -> None:
        token = data.draw(st.sampled_from(self.presented))
        self.late = self._refresh(token, has_left=True)
        assert not self.ended, "a late request of the customer's own ended the session"

    @rule(from_the_late_answer=st.booleans())
    @precondition(lambda self: self.is_watched)
    def steal(self, *, from_the_late_answer: bool) -> None:
        self.stolen = (self.late if from_the_late_answer else None) or self.jar

    @rule()
    @precondition(lambda self: self.stolen is not None and not self.ended)
    def use_the_stolen_token(self) -> None:
        assert self.stolen is not None
        is_caught = self._ends_its_session(self.stolen)
        came_first = not self.thief_came
        self.thief_came = True
        successor = self._refresh(self.stolen)
        if came_first and is_caught:
            assert self.ended, "a stolen token was good long after the customer went on"
        if successor is not None:
            self.thief = successor

    def teardown(self) -> None:
        if self.ended:
            assert self.thief_came or self._ends_its_session(self.jar), "it ended without a thief"
            for token in filter(None, (self.jar, self.thief, self.stolen)):
                assert self._refresh(token) is None
        elif self.thief is not None:
            self._let_both_go_on()
            assert self.ended, "a thief and the customer share a session for ever"
        elif not self.thief_came:
            is_too_late = self._ends_its_session(self.jar)
            assert (self._refresh(self.jar) is None) == is_too_late

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

        async def open_sessions() -> tuple[Sessions, Database]:
            database = Database(create_engine(sqlite_url))
            redis = create_redis(stores.redis_url)  # never asked
            container = api_container(api_settings(stores, tmp_path / "keys.json"), database, redis)
            return container.sessions, database

        sessions, database = runner.run(open_sessions())

        class TheseSessions(SessionMachine):
            def __init__(self) -> None:
                super().__init__(runner, sessions, database)

        try:
            run_state_machine_as_test(
                TheseSessions,
                settings=settings(max_examples=60, stateful_step_count=25),
            )
        finally:
            runner.run(database.close())
