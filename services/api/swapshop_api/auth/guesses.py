"""How often a password may be guessed: by an address, by a site, and at an account by anybody."""

from dataclasses import dataclass

from swapshop_api.auth.devices import known_device
from swapshop_api.auth.models import User
from swapshop_api.auth.passwords import Party
from swapshop_api.auth.rate_limits import Limit
from swapshop_api.settings import ApiSettings
from swapshop_kit.addresses import limited_network, site_network


@dataclass(frozen=True, slots=True)
class Guess:
    """What a guess of a password counts against.

    Args:
        failures: the limits that a right password resets.
        tries: the limits that count right passwords too.
        party: whose line it joins in the queue for a hash.
    """

    failures: tuple[Limit, ...]
    tries: tuple[Limit, ...]
    party: Party


def registration_limits(settings: ApiSettings, address: str) -> tuple[Limit, Limit]:
    """Return what a registration counts against."""
    per_address = settings.register_per_address_per_hour
    per_site = settings.register_per_site_per_hour
    return (
        Limit("register", limited_network(address), per_address, 3600),
        Limit("register-site", site_network(address), per_site, 3600),
    )


def guess_at(
    settings: ApiSettings, email: str, user: User | None, address: str, cookie: str | None
) -> Guess:
    """Return what a guess counts against.

    No stranger uses up the limits of a known device, even from the same address.

    Args:
        settings: the limits.
        email: normalized; strangers' failures count against it, whether or not it has an account.
        user: the account of the e-mail; None if there is none.
        address: the client's address.
        cookie: the client's device cookie.
    """
    device = known_device(cookie, user)
    per_account = settings.login_per_account_per_minute
    if user is not None and device is not None:
        return Guess(
            failures=_failures("login-device", f"{user.id} {device}", settings),
            tries=(Limit("login-known", user.id, per_account, 60),),
            party=Party(user.id, is_known=True),
        )
    network, site = limited_network(address), site_network(address)
    return Guess(
        failures=_failures("login-failures", email, settings),
        tries=(
            Limit("login-account", f"{network} {email}", per_account, 60),
            Limit("login-address", network, settings.login_per_address_per_minute, 60),
            Limit("login-site", site, settings.login_per_site_per_minute, 60),
        ),
        party=Party(site),
    )


def _failures(name: str, subject: str, settings: ApiSettings) -> tuple[Limit, ...]:
    """The more failures, the longer the wait: one minute, then 15, then two hours."""
    count = settings.login_failures_per_account
    return (
        Limit(f"{name}-minute", subject, count, 60),
        Limit(f"{name}-quarter", subject, 2 * count, 900),
        Limit(f"{name}-hours", subject, 4 * count, 7200),
    )
