// A long day: shows leaks, growth and expiry, since the access tokens are renewed during the test.
import { openSessions, sessionOf } from './lib/sessions.js';
import { count, seconds } from './lib/settings.js';
import { visit } from './lib/steps.js';
import { available, checks, common, latency, offered } from './lib/thresholds.js';

export { handleSummary } from './lib/summary.js';

export const options = {
  ...common,
  scenarios: {
    soak: {
      executor: 'constant-arrival-rate',
      rate: count('RATE', 5, 1000),
      duration: `${seconds('DURATION', '30m')}s`,
      preAllocatedVUs: count('VUS', 20, 500),
      maxVUs: count('MAX_VUS', 100, 1000),
    },
  },
  thresholds: { ...checks, ...available, ...latency('soak'), ...offered },
};

export const setup = () => openSessions(count('ACCOUNTS', 3, 10));

export default (sessions) => visit(sessionOf(sessions));
