"""From a stray pod and from each component, what the table allows works and nothing else does."""

import json
import socket
from uuid import uuid4

import pytest

from support.cluster.customers import Door
from support.cluster.network_probes import reached_and_allowed
from support.cluster.release import Release


@pytest.mark.timeout(300)
def test_the_policies_are_the_table(release: Release) -> None:
    reached, allowed = reached_and_allowed(release)
    assert reached == allowed


def login_with_a_trailer(door: Door, email: str, forwarded_for: str) -> int:
    """Try to sign in, with an address of one's choice in a trailer; return the status."""
    body = json.dumps({"email": email, "password": "not-the-password"}).encode()
    head = (
        f"POST /api/auth/login HTTP/1.1\r\nHost: {door.host}\r\nConnection: close\r\n"
        "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n"
        "Trailer: X-Forwarded-For\r\n\r\n"
    )
    trailer = f"0\r\nX-Forwarded-For: {forwarded_for}\r\n\r\n"
    address, _, port = door.address.partition(":")
    with socket.create_connection((address, int(port or 80)), timeout=30) as connection:
        connection.sendall(head.encode() + b"%x\r\n%s\r\n" % (len(body), body) + trailer.encode())
        return int(connection.makefile("rb").readline().split()[1])


def test_an_address_in_a_trailer_gives_no_further_logins(release: Release, door: Door) -> None:
    assert release
    email = f"nobody-{uuid4()}@swapshop.test"
    statuses = [login_with_a_trailer(door, email, f"203.0.113.{number}") for number in range(13)]
    assert statuses[0] == 401
    assert statuses[-1] == 429, statuses
