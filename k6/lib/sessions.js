// Accounts, as few as possible, and access tokens, which are renewed during a test.
import http from 'k6/http';
import exec from 'k6/execution';
import { check, sleep } from 'k6';

import { apiUrl, testId } from './settings.js';
import { isAnswered } from './steps.js';

const JSON_TYPE = { 'Content-Type': 'application/json' };
const MOST_PATIENCE_SECONDS = 60;
const RETRY_MS = 10000;

function post(path, body) {
  return http.post(`${apiUrl}${path}`, JSON.stringify(body), {
    headers: JSON_TYPE,
    tags: { name: `POST ${path}` },
  });
}

// Repeats the request once after a 429; returns undefined if Retry-After is too long.
function postPatiently(path, body) {
  const answer = post(path, body);
  if (answer.status !== 429) return answer;
  const wait = Number(answer.headers['Retry-After'] || 1);
  if (wait > MOST_PATIENCE_SECONDS) return undefined;
  sleep(wait);
  return post(path, body);
}

function session(account, answer) {
  const { token, expires_in: lifetime } = answer.json();
  return { ...account, token, lifetime, since: Date.now() };
}

// For setup(): signs in a number of customers. An address can register 10 accounts an hour; with
// PASSWORD every run uses the same accounts.
export function openSessions(accounts) {
  const password = __ENV.PASSWORD || crypto.randomUUID();
  const prefix = __ENV.PASSWORD ? 'k6' : testId;
  return Array.from({ length: accounts }, (_, index) => {
    const account = { email: `${prefix}-${index}@swapshop.test`, password };
    const known = __ENV.PASSWORD ? postPatiently('/api/auth/login', account) : undefined;
    if (known && known.status === 200) return session(account, known);
    const made = postPatiently('/api/auth/register', { nombre: 'k6', ...account });
    if (!made)
      exec.test.abort('too many accounts from this address; set PASSWORD to use them again');
    if (made.status !== 201) exec.test.abort(`no account: ${made.status} ${made.body}`);
    return session(account, made);
  });
}

let own;

// The session of this virtual user: its account's token, or its own after the first renewal. Renewals
// are spread over the token's lifetime, so that not all virtual users sign in at once.
export function sessionOf(sessions) {
  if (own === undefined) {
    const shared = sessions[(exec.vu.idInTest - 1) % sessions.length];
    own = { ...shared, renewAt: shared.since + shared.lifetime * (200 + 600 * Math.random()) };
  }
  if (Date.now() > own.renewAt) renew();
  return own;
}

function renew() {
  const { email, password } = own;
  const answer = postPatiently('/api/auth/login', { email, password });
  own.renewAt = Date.now() + RETRY_MS;
  // a 429 and a failed request are not wrong answers
  if (!answer || answer.status === 429 || !isAnswered(answer)) return;
  if (!check(answer, { 'session is renewed': (it) => it.status === 200 })) return;
  own = session({ email, password }, answer);
  own.renewAt = own.since + own.lifetime * (600 + 200 * Math.random());
}
