"""The shop over TLS, with a certificate of the test's own in ingress.tlsSecret."""

import datetime as dt
import os
import ssl

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from support.cluster.customers import Customer, Door
from support.cluster.release import HOST, Release
from support.waiting import wait_until

SECRET = "shop-tls"
ADDRESS = os.environ.get("CLUSTER_IP", "127.0.0.1").partition(":")[0]


def self_signed(host: str) -> tuple[str, str]:
    """Return a certificate of a host, valid for a day, and its key, both in PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return certificate.public_bytes(Encoding.PEM).decode(), private.decode()


def is_served(http: httpx.Client) -> bool:
    """Return whether the api answers with the trusted certificate."""
    try:
        return http.get("/api/auth/me").status_code == 401
    except httpx.TransportError:
        return False


@pytest.mark.timeout(300)
def test_the_shop_is_served_over_tls(release: Release) -> None:
    certificate, key = self_signed(HOST)
    release.cluster.apply(
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": SECRET},
            "type": "kubernetes.io/tls",
            "stringData": {"tls.crt": certificate, "tls.key": key},
        }
    )
    release.deploy("--set", f"ingress.tlsSecret={SECRET},poller.mode=Deployment")
    # a terminating pod only knows the former origin
    wait_until(lambda: release.is_settled("api"), 60, every=1)
    door = Door(ADDRESS, HOST, ssl.create_default_context(cadata=certificate))
    with door.client() as http:
        wait_until(lambda: is_served(http), 60)
        page = http.get("/")
    assert page.status_code == 200
    customer = Customer(door)
    cookies = list(customer.http.cookies.jar)
    assert {cookie.name for cookie in cookies} == {
        "__Secure-swapshop_refresh",
        "__Secure-swapshop_device",
    }
    assert all(cookie.secure for cookie in cookies)
    assert customer.refresh() == 200
    order_id = customer.placed()
    wait_until(lambda: customer.is_notified(order_id), 30)
    plain = customer.http.post("/api/auth/refresh", headers={"Origin": f"http://{HOST}"})
    assert plain.status_code == 403
    door.close()
