"""Limits on guesses of a password: from an address, from a site, and at an account."""

from dataclasses import dataclass

from swapshop_api.auth.devices import known_device
from swapshop_api.auth.models import User
from swapshop_api.auth.passwords import Party
from swapshop_api.auth.rate_limits import Limit, RateLimits
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


class Guesses:
    """Counts logins and registrations against their limits.

    Args:
        limits: keep the counts.
        settings: how high the limits are.
    """

    def __init__(self, limits: RateLimits, settings: ApiSettings) -> None:
        self._limits = limits
        self._settings = settings

    async def admit_registration(self, address: str) -> Party:
        """Count a registration; return whose line it joins in the queue for a hash.

        Raises:
            TooManyRequests: too many from this address or its site.
        """
        per_address = self._settings.register_per_address_per_hour
        per_site = self._settings.register_per_site_per_hour
        network, site = limited_network(address), site_network(address)
        await self._limits.take(
            Limit("register", network, per_address, 3600),
            Limit("register-site", site, per_site, 3600),
        )
        return Party(site)

    async def admit(self, email: str, user: User | None, address: str, cookie: str | None) -> Guess:
        """Count a guess as a wrong one, before the password is verified.

        No stranger uses up the limits of a known device, even from the same address.

        Args:
            email: normalized; strangers' failures count against it, whether or not it has an
                account.
            user: the account of the e-mail; None if there is none.
            address: the client's address.
            cookie: the client's device cookie.

        Raises:
            TooManyRequests: too many tries.
        """
        device = known_device(cookie, user)
        if user is not None and device is not None:
            guess = self._of_known_device(user, device)
        else:
            guess = self._of_stranger(email, address)
        await self._limits.take(*guess.failures, *guess.tries)
        return guess

    async def was_right(self, guess: Guess) -> None:
        """Reset the count of wrong passwords."""
        await self._limits.forget(*guess.failures)

    def _of_known_device(self, user: User, device: str) -> Guess:
        per_account = self._settings.login_per_account_per_minute
        return Guess(
            failures=_failures("login-device", f"{user.id} {device}", self._settings),
            tries=(Limit("login-known", user.id, per_account, 60),),
            party=Party(user.id, is_known=True),
        )

    def _of_stranger(self, email: str, address: str) -> Guess:
        settings = self._settings
        network, site = limited_network(address), site_network(address)
        per_account = settings.login_per_account_per_minute
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
    """Return limits that lengthen the wait with each failure, up to two hours."""
    count = settings.login_failures_per_account
    return (
        Limit(f"{name}-minute", subject, count, 60),
        Limit(f"{name}-quarter", subject, 2 * count, 900),
        Limit(f"{name}-hours", subject, 4 * count, 7200),
    )
