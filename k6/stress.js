// More load than usual, in steps: answers can become slow, but every answer is right.
import { openSessions, sessionOf } from './lib/sessions.js';
import { count, seconds } from './lib/settings.js';
import { visit } from './lib/steps.js';
import { available, checks, common } from './lib/thresholds.js';

export { handleSummary } from './lib/summary.js';

const rate = count('RATE', 40, 1000);
const step = `${seconds('STEP', '1m', 3600)}s`;

export const options = {
  ...common,
  scenarios: {
    stress: {
      executor: 'ramping-arrival-rate',
      startRate: Math.ceil(rate / 4),
      timeUnit: '1s',
      stages: [
        { duration: step, target: Math.ceil(rate / 2) },
        { duration: step, target: Math.ceil(rate / 2) },
        { duration: step, target: rate },
        { duration: step, target: rate },
        { duration: step, target: 0 },
      ],
      preAllocatedVUs: count('VUS', 50, 500),
      maxVUs: count('MAX_VUS', 200, 1000),
    },
  },
  thresholds: { ...checks, ...available },
};

export const setup = () => openSessions(count('ACCOUNTS', 3, 10));

export default (sessions) => visit(sessionOf(sessions));
