"""Leases and reports over HTTP, on the internal port."""

from typing import Annotated

from fastapi import Path

from swapshop_api.dependencies import InternalClient
from swapshop_api.dispatch.domain import Dispatch
from swapshop_api.dispatch.problems import LeaseNotFound
from swapshop_api.dispatch.schemas import LeaseIn, LeaseOut, ResultsIn, ResultsOut
from swapshop_kit.problems import DatabaseUnavailable, OutcomeUnknown, Unauthenticated, responses
from swapshop_kit.provided import provided
from swapshop_kit.web import MAX_INTERNAL_BODY_BYTES, router

internal_router = router(
    prefix="/internal/dispatch", tag="dispatch", max_body_bytes=MAX_INTERNAL_BODY_BYTES
)

DispatchCases = Annotated[Dispatch, provided(Dispatch)]
LeaseToken = Annotated[str, Path(description="The token that the deliveries were claimed under.")]


@internal_router.post(
    "/leases", responses=responses(Unauthenticated, DatabaseUnavailable, OutcomeUnknown)
)
async def lease_deliveries(
    dispatch: DispatchCases, client: InternalClient, wanted: LeaseIn
) -> LeaseOut:
    """Promote pending orders and claim due deliveries; repeating a token claims nothing more."""
    return await dispatch.lease(client.sub, wanted)


@internal_router.post(
    "/leases/{lease_token}/receipt",
    status_code=204,
    responses=responses(Unauthenticated, LeaseNotFound, DatabaseUnavailable, OutcomeUnknown),
)
async def confirm_lease(
    dispatch: DispatchCases, _: InternalClient, lease_token: LeaseToken
) -> None:
    """Confirm that the answer of a lease call arrived, before anything of it is sent."""
    await dispatch.confirm(lease_token)


@internal_router.post(
    "/leases/{lease_token}/results",
    responses=responses(Unauthenticated, LeaseNotFound, DatabaseUnavailable, OutcomeUnknown),
)
async def report_results(
    dispatch: DispatchCases,
    _: InternalClient,
    lease_token: LeaseToken,
    report: ResultsIn,
) -> ResultsOut:
    """Report what came of claimed deliveries; repeating a report is harmless."""
    return await dispatch.report(lease_token, report.results)
