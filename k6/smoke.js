// Checks that SwapShop works: a few customers each place an order and wait for its notification.
import { openSessions, sessionOf } from './lib/sessions.js';
import { count, seconds } from './lib/settings.js';
import { awaitNotifications, visit } from './lib/steps.js';
import { available, checks, common, exactlyOnce, notified } from './lib/thresholds.js';

export { handleSummary } from './lib/summary.js';

const patience = seconds('PATIENCE', '3m', 600);

export const options = {
  ...common,
  scenarios: {
    smoke: {
      executor: 'shared-iterations',
      vus: count('VUS', 2, 20),
      iterations: count('ITERATIONS', 10, 1000),
      maxDuration: '15m',
    },
  },
  // too few requests for a percentile
  thresholds: { ...checks, ...available, ...notified, ...exactlyOnce },
};

export const setup = () => openSessions(count('ACCOUNTS', 2, 10));

export default function (sessions) {
  const session = sessionOf(sessions);
  const order = visit(session);
  if (order) awaitNotifications(session, [order], patience);
}
