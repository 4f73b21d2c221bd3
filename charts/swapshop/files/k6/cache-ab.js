// Reads of orders, as fast as a fixed number of clients can: one side of the comparison of CACHE_MODE on
// and off. `./task load SCENARIO=cache-ab` runs both sides alternately.
import { Rate } from 'k6/metrics';

import { openSessions, sessionOf } from './lib/sessions.js';
import { count, seconds } from './lib/settings.js';
import { placeOrder, readOrder } from './lib/steps.js';
import { available, checks, common, figures } from './lib/thresholds.js';
import { summary } from './lib/summary.js';

const asExpected = new Rate('cache_as_expected');

const duration = seconds('DURATION', '10s', 3600);

export const options = {
  ...common,
  scenarios: {
    reads: { executor: 'constant-vus', vus: count('VUS', 20, 200), duration: `${duration}s` },
  },
  thresholds: {
    ...checks,
    ...available,
    ...figures('scenario', ['reads']),
    // not every read: if a poller runs, an order is not cached while it becomes PROCESSED
    cache_as_expected: ['rate>0.95'],
  },
};

export function setup() {
  const [session] = openSessions(1);
  const ids = Array.from({ length: count('ORDERS', 50, 1000) }, () => placeOrder(session).id);
  return { sessions: [session], ids };
}

export default function ({ sessions, ids }) {
  const id = ids[Math.floor(Math.random() * ids.length)];
  const cache = readOrder(sessionOf(sessions), id);
  if (__ENV.CACHE) asExpected.add(cache === __ENV.CACHE);
}

export const handleSummary = (data) => summary(data, duration);
