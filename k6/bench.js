// Creates, then cached reads of one order, each for a few seconds at a fixed number of clients.
import { openSessions, sessionOf } from './lib/sessions.js';
import { count, seconds } from './lib/settings.js';
import { placeOrder, readOrder } from './lib/steps.js';
import { available, checks, common, figures } from './lib/thresholds.js';
import { summary } from './lib/summary.js';

const duration = seconds('DURATION', '10s', 3600);
const vus = count('VUS', 20, 200);
const clients = { executor: 'constant-vus', vus, duration: `${duration}s` };

export const options = {
  ...common,
  scenarios: {
    creates: { ...clients, exec: 'create' },
    reads: { ...clients, exec: 'read', startTime: `${duration + 2}s` },
  },
  thresholds: { ...checks, ...available, ...figures('scenario', ['creates', 'reads']) },
};

export function setup() {
  const sessions = openSessions(1);
  return { sessions, id: placeOrder(sessions[0]).id };
}

export const create = ({ sessions }) => placeOrder(sessionOf(sessions));

export const read = ({ sessions, id }) => readOrder(sessionOf(sessions), id);

export const handleSummary = (data) => summary(data, duration);
