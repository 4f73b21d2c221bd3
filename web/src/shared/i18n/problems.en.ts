import type { FailureCode } from '@/api/problem-codes';

/** A message for each kind of failure: its meaning to the person, and what they can do about it. */
export const problems: Record<FailureCode, string> = {
  bad_request: 'The store did not understand the request. Reload the page and try again.',
  body_too_large: 'That is too much to send at once. Split the order into smaller ones.',
  busy: 'A lot of people are signing in right now. Wait a few seconds and try again.',
  database_unavailable: 'The store cannot reach its data right now. Try again in a moment.',
  delivery_not_found: 'That delivery does not exist or has been archived.',
  email_taken: 'There is already an account with that e-mail. Sign in with it, or use another one.',
  forbidden: 'Your account is not allowed to do this.',
  gateway: 'The store is not answering at the moment. Try again in a few seconds.',
  head_too_large: 'The request is too large for the store. Reload the page and try again.',
  idempotency_in_flight: 'This order is still being saved. Wait a second and send it again.',
  idempotency_key_reused: 'This draft has already been sent, and the order was placed.',
  internal_error:
    'Something went wrong in the store. Try again; if it keeps happening, let us know the reference.',
  invalid_request: 'Some details need correcting. Check the highlighted fields.',
  keys_unavailable: 'The store cannot check your session yet. Try again in a few seconds.',
  method_not_allowed: 'The store does not allow that. Reload the page.',
  network: 'The store cannot be reached. Check your connection; what you typed is kept.',
  network_streams_taken: 'The store is open in too many windows on your network.',
  not_found: 'We cannot find what you are looking for.',
  not_redrivable:
    'That delivery is still under way. Only delivered and dead ones can be sent again.',
  order_blocked: 'The data of this order is inconsistent, so it cannot be processed.',
  order_not_found: 'We cannot find an order of yours with that identifier.',
  origin_refused: 'You cannot sign in from this address. Use the official address of the store.',
  outcome_unknown:
    'We do not know whether it was saved. Try again: it is safe, and nothing is done twice.',
  refresh_conflict: 'Another tab was renewing the session at the same time. Try again.',
  request_timeout: 'The request took too long to reach the store. Try again.',
  server_stopping: 'The store is restarting. Try again in a few seconds.',
  service_unavailable: 'The store is not available right now. Try again in a few seconds.',
  session_ended: 'Your session has ended. Sign in again.',
  streams_unavailable:
    'Live notifications are not available right now; the page checks every few seconds instead.',
  timeout: 'The store is taking too long to answer. Try again.',
  too_many_connections: 'The store has too many open connections. Try again in a few seconds.',
  too_many_orders:
    'You have placed a lot of orders in a short time. Wait a minute and send this one again.',
  too_many_requests: 'Too many attempts in a row. Wait a minute and try again.',
  too_many_streams: 'You have the store open in too many windows. Close one of them.',
  unauthenticated: 'Your session is no longer valid. Sign in again.',
  unexpected:
    'The store sent an answer that we do not understand. Reload the page; if it keeps happening, let us know.',
  wrong_credentials: 'The e-mail or the password is incorrect.',
  wrong_password: 'The current password is incorrect.',
};
