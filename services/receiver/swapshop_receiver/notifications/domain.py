"""Rules of showing notifications: one's own alone, operators may look at another's list."""

from swapshop_kit.access_tokens import Claims
from swapshop_kit.cursors import Cursor, decode_cursor
from swapshop_kit.problems import Forbidden
from swapshop_kit.webhook_signatures import is_webhook_id


def whose_list(caller: Claims, user_id: str | None) -> str:
    """Return whose notifications to list.

    Args:
        caller: who asks.
        user_id: whose are asked for; None for the caller's own.

    Raises:
        Forbidden: someone else than an operator named a user.
    """
    if user_id is None:
        return caller.sub
    if not caller.is_operator:
        raise Forbidden
    return user_id


def read_cursor(text: str | None) -> Cursor | None:
    """Read a cursor of notifications, whose ids are webhook ids.

    Raises:
        InvalidRequest: it is none.
    """
    return decode_cursor(text, is_webhook_id)


def resume_from(cursor: str | None, last_event_id: str | None) -> Cursor | None:
    """Return where a stream goes on; Last-Event-ID is newer than the address it was opened with.

    Raises:
        InvalidRequest: it is no cursor.
    """
    return read_cursor(last_event_id or cursor)
