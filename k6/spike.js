// A sudden rise to ten times the load, then the normal load again: nothing breaks or stays broken.
import { openSessions, sessionOf } from './lib/sessions.js';
import { count, seconds } from './lib/settings.js';
import { visit } from './lib/steps.js';
import { available, checks, common } from './lib/thresholds.js';

export { handleSummary } from './lib/summary.js';

const rate = count('RATE', 5, 100);
const calm = `${seconds('CALM', '30s', 3600)}s`;
const peak = `${seconds('PEAK', '30s', 3600)}s`;

export const options = {
  ...common,
  scenarios: {
    spike: {
      executor: 'ramping-arrival-rate',
      startRate: rate,
      timeUnit: '1s',
      stages: [
        { duration: calm, target: rate },
        { duration: '2s', target: rate * 10 },
        { duration: peak, target: rate * 10 },
        { duration: '2s', target: rate },
        { duration: calm, target: rate },
      ],
      preAllocatedVUs: count('VUS', 50, 500),
      maxVUs: count('MAX_VUS', 200, 1000),
    },
  },
  thresholds: { ...checks, ...available },
};

export const setup = () => openSessions(count('ACCOUNTS', 3, 10));

export default (sessions) => visit(sessionOf(sessions));
