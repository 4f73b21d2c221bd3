"""The client's address: no client can choose the address that its limits count."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swapshop_kit.addresses import UNKNOWN, TrustedProxies, limited_network, site_network

_PROXIES = TrustedProxies(["10.0.0.0/8", "2001:db8:1::/48", "192.0.2.7"])


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "expected"),
    [
        pytest.param("203.0.113.5", [], "203.0.113.5", id="no proxy"),
        pytest.param("203.0.113.5", ["198.51.100.1"], "203.0.113.5", id="an untrusted peer lies"),
        pytest.param("10.1.2.3", ["198.51.100.1"], "198.51.100.1", id="one proxy"),
        pytest.param("10.1.2.3", ["6.6.6.6, 198.51.100.1"], "198.51.100.1", id="a made-up entry"),
        pytest.param("10.1.2.3", ["6.6.6.6", "198.51.100.1"], "198.51.100.1", id="two headers"),
        pytest.param("10.1.2.3", ["198.51.100.1, 10.9.9.9"], "198.51.100.1", id="two proxies"),
        pytest.param("10.1.2.3", ["198.51.100.1,10.9.9.9,192.0.2.7"], "198.51.100.1", id="three"),
        pytest.param("10.1.2.3", [], "10.1.2.3", id="a proxy's own request"),
        pytest.param("10.1.2.3", ["10.4.4.4"], "10.4.4.4", id="all of them trusted"),
        pytest.param("10.1.2.3", ["198.51.100.1, unknown"], "10.1.2.3", id="malformed"),
        pytest.param("10.1.2.3", ["198.51.100.1, x, 10.4.4.4"], "10.4.4.4", id="malformed behind"),
        pytest.param("10.1.2.3", [""], "10.1.2.3", id="empty"),
        pytest.param("10.1.2.3", ["198.51.100.1:4711"], "198.51.100.1", id="with a port"),
        pytest.param("10.1.2.3", ["[2001:db8:2::1]:443"], "2001:db8:2::1", id="IPv6 with a port"),
        pytest.param("10.1.2.3", ["2001:DB8:2:0::1"], "2001:db8:2::1", id="IPv6 is canonical"),
        pytest.param("2001:db8:1::9", ["198.51.100.1"], "198.51.100.1", id="an IPv6 proxy"),
        pytest.param("::ffff:10.1.2.3", ["198.51.100.1"], "198.51.100.1", id="a mapped proxy"),
        pytest.param("::ffff:203.0.113.5", [], "203.0.113.5", id="a mapped peer"),
        pytest.param("10.1.2.3", ["::ffff:198.51.100.1"], "198.51.100.1", id="a mapped entry"),
        pytest.param("fe80::1%eth0", [], "fe80::1", id="with a zone"),
        pytest.param(None, ["198.51.100.1"], UNKNOWN, id="a Unix socket"),
    ],
)
def test_the_nearest_address_outside_the_proxies_is_the_clients(
    peer: str | None, forwarded_for: list[str], expected: str
) -> None:
    assert _PROXIES.client_address(peer, forwarded_for) == expected


@given(st.lists(st.text()), st.ip_addresses(v=4, network="203.0.113.0/24"))
def test_what_a_client_sends_never_hides_its_address(sent: list[str], address: object) -> None:
    assert _PROXIES.client_address("10.0.0.1", [*sent, str(address)]) == str(address)
    assert _PROXIES.client_address(str(address), sent) == str(address)


def test_without_proxies_no_header_is_believed() -> None:
    assert TrustedProxies([]).client_address("10.1.2.3", ["198.51.100.1"]) == "10.1.2.3"


def test_a_network_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="ten"):
        TrustedProxies(["ten"])


def test_an_ipv6_client_is_counted_with_its_whole_network() -> None:
    assert limited_network("2001:db8:2::1") == limited_network("2001:db8:2::ffff:1")
    assert limited_network("2001:db8:2::1") != limited_network("2001:db8:2:1::1")
    assert limited_network("203.0.113.5") == "203.0.113.5"
    assert limited_network(UNKNOWN) == UNKNOWN


def test_a_site_is_an_ipv6_48_or_an_ipv4_24() -> None:
    assert site_network("2001:db8:2::1") == site_network("2001:db8:2:ffff::1")
    assert site_network("2001:db8:2::1") != site_network("2001:db8:3::1")
    assert site_network("203.0.113.5") == site_network("203.0.113.77")
    assert site_network("203.0.113.5") != site_network("203.0.114.5")
    assert site_network(UNKNOWN) == UNKNOWN
