// Accounts, made sparingly, and access tokens, renewed while a test lasts.
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

// Sends it again after a 429, once, unless that takes too long; undefined then.
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

// For setup(): that many customers, signed in. An address may register 10 accounts an hour; with
// PASSWORD the same accounts serve every run.
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

// The session of this virtual user: its account's token, or its own once that grows old. Renewals
// are spread over the token's life, or all virtual users would sign in at once.
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
  // a 429, however long, and an answer that is none are no wrong ones
  if (!answer || answer.status === 429 || !isAnswered(answer)) return;
  if (!check(answer, { 'session is renewed': (it) => it.status === 200 })) return;
  own = session({ email, password }, answer);
  own.renewAt = own.since + own.lifetime * (600 + 200 * Math.random());
}
