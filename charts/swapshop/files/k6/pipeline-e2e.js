// Every order that was answered with 201 has exactly one notification, counted at the end.
import { openSessions, sessionOf } from './lib/sessions.js';
import { count, seconds } from './lib/settings.js';
import { awaitNotifications, placeOrder } from './lib/steps.js';
import { available, checks, common, exactlyOnce, notified } from './lib/thresholds.js';

export { handleSummary } from './lib/summary.js';

const customers = count('ACCOUNTS', 3, 10);
const orders = count('ORDERS', 20, 1000); // for each customer
const patience = seconds('PATIENCE', '3m', 3600); // time limit for the last notification
const settling = seconds('SETTLING', '3s', 600); // wait for a duplicate notification

export const options = {
  ...common,
  scenarios: {
    'pipeline-e2e': {
      executor: 'per-vu-iterations',
      vus: customers,
      iterations: 1,
      maxDuration: `${patience + settling + 10 * orders}s`,
    },
  },
  thresholds: { ...checks, ...available, ...notified, ...exactlyOnce },
};

export const setup = () => openSessions(customers);

export default function (sessions) {
  const placed = [];
  for (let each = 0; each < orders; each += 1) {
    const order = placeOrder(sessionOf(sessions));
    if (order) placed.push(order);
  }
  if (placed.length > 0) awaitNotifications(sessionOf(sessions), placed, patience, settling);
}
