// More and more load until an objective is missed: the test ends with exit code 99 and the rate that it reached.
import exec from 'k6/execution';
import { Gauge } from 'k6/metrics';

import { openSessions, sessionOf } from './lib/sessions.js';
import { count, seconds } from './lib/settings.js';
import { visit } from './lib/steps.js';
import { aborting, available, checks, common, latency, offered } from './lib/thresholds.js';

export { handleSummary } from './lib/summary.js';

const rate = count('RATE', 200, 5000);
const reached = new Gauge('visits_per_second');

export const options = {
  ...common,
  scenarios: {
    breakpoint: {
      executor: 'ramping-arrival-rate',
      startRate: 1,
      timeUnit: '1s',
      stages: [{ duration: `${seconds('DURATION', '5m')}s`, target: rate }],
      preAllocatedVUs: count('VUS', 50, 500),
      maxVUs: count('MAX_VUS', 300, 2000),
    },
  },
  thresholds: {
    ...checks,
    ...aborting({ ...available, ...latency('breakpoint'), ...offered }),
  },
};

export const setup = () => openSessions(count('ACCOUNTS', 3, 10));

export default function (sessions) {
  reached.add(exec.scenario.progress * rate);
  visit(sessionOf(sessions));
}
