// Thresholds: the service level objectives, as observability/slos.yaml has them, and what holds always.
const slos = JSON.parse(open(import.meta.resolve('../thresholds.json')));

const ROUTES = [
  'POST /api/auth/register',
  'POST /api/auth/login',
  'POST /api/orders',
  'GET /api/orders/:id',
  'GET /api/orders',
  'GET /api/notifications',
];

// k6 tells a route's figures only where a threshold asks for them; these hold whatever they are.
export function figures(tag, values) {
  return Object.fromEntries(
    values.flatMap((value) => [
      [`http_reqs{${tag}:${value}}`, ['count>=0']],
      [`http_req_failed{${tag}:${value}}`, ['rate>=0']],
      [`http_req_duration{${tag}:${value}}`, ['max>=0']],
    ]),
  );
}

// A wrong answer fails every test; 5xx are counted by availability.
export const checks = { checks: ['rate==1'], ...figures('name', ROUTES) };

export const available = { http_req_failed: slos['api-availability'] };

export const notified = { order_notification_latency: slos.notified };

// Of the requests of one scenario: what setup() does is none of its load.
export function latency(scenario) {
  return { [`http_req_duration{scenario:${scenario}}`]: slos['api-latency'] };
}

// The offered load was really offered: k6 drops an iteration when no virtual user is free.
export const offered = { dropped_iterations: ['rate<0.1'] };

export const exactlyOnce = {
  orders_created: ['count>0'],
  notifications_lost: ['count==0'],
  notifications_doubled: ['count==0'],
};

// Ends the test as soon as a threshold is crossed; the first seconds are the warm-up.
export function aborting(thresholds) {
  return Object.fromEntries(
    Object.entries(thresholds).map(([metric, conditions]) => [
      metric,
      conditions.map((threshold) => ({ threshold, abortOnFail: true, delayAbortEval: '10s' })),
    ]),
  );
}

export const common = {
  summaryTrendStats: ['med', 'p(95)', 'p(99)', 'max'],
  // not url, ip and the rest: each value is a series of its own in Prometheus
  systemTags: 'scenario group name method status check expected_response error_code'.split(' '),
  setupTimeout: '5m',
};
