"""Logs: one JSON object per line, from any library."""

import re

from support.servers.python_programs import json_lines

_SAMPLE = """
    import logging
    import structlog
    from swapshop_kit.logging import configure_logging

    configure_logging("shop", "info")
    log = structlog.get_logger()
    structlog.contextvars.bind_contextvars(request_id="r1")
    log.info("order.created", order_id="o1", note='line\\nbreak "quoted" ñ')
    log.debug("too.fine")
    logging.getLogger("library").warning("lost %d of %s", 3, "four")
    logging.getLogger("library").info("too.fine")
    try:
        raise ValueError("no such colour")
    except ValueError:
        log.exception("request.failed")
        logging.getLogger("library").exception("failed too")
"""


def test_structlog_and_the_libraries_write_json_lines() -> None:
    lines = json_lines(_SAMPLE)

    times = [str(line.pop("timestamp")) for line in lines]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", time) for time in times)
    traces = [str(line.pop("exception")) for line in lines[2:]]
    for trace in traces:
        assert trace.startswith("Traceback (most recent call last):")
        assert trace.endswith("ValueError: no such colour")
    everywhere = {"service": "shop", "request_id": "r1"}
    assert lines == [
        {
            "event": "order.created",
            "level": "info",
            "order_id": "o1",
            "note": 'line\nbreak "quoted" ñ',
            **everywhere,
        },
        {"event": "lost 3 of four", "level": "warning", "logger": "library", **everywhere},
        {"event": "request.failed", "level": "error", **everywhere},
        {"event": "failed too", "level": "error", "logger": "library", **everywhere},
    ]


def test_the_least_severe_level_can_be_chosen() -> None:
    program = """
        import logging
        import structlog
        from swapshop_kit.logging import configure_logging

        configure_logging("shop", "{level}")
        log = structlog.get_logger()
        log.debug("debug"), log.info("info"), log.warning("warning"), log.error("error")
        logging.getLogger("library").info("library info")
        logging.getLogger("library").error("library error")
    """

    assert [line["event"] for line in json_lines(program.format(level="debug"))] == [
        *("debug", "info", "warning", "error", "library error")
    ]
    assert [line["event"] for line in json_lines(program.format(level="error"))] == [
        *("error", "library error")
    ]


def test_no_value_can_make_a_log_line_fail() -> None:
    lines = json_lines(
        r"""
        import structlog
        from swapshop_kit.logging import configure_logging

        configure_logging("shop")
        log = structlog.get_logger()
        log.info("surrogate", path="/\ud800")
        log.info("huge", number=2**80)
        log.info("odd keys", members={(1, 2): 3, 4: 5})
        log.info("object", thing=object, raw=b"x")
        """
    )

    assert [line["event"] for line in lines] == ["surrogate", "huge", "odd keys", "object"]
    assert lines[1]["number"] == 2**80
    assert lines[2]["members"] == {"4": 5}
    assert lines[3]["thing"] == "<class 'object'>"
