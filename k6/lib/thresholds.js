// Thresholds: the service level objectives of observability/slos.yaml, and conditions of every test.
const slos = JSON.parse(open(import.meta.resolve('../thresholds.json')));

const ROUTES = [
  'POST /api/auth/register',
  'POST /api/auth/login',
  'POST /api/orders',
  'GET /api/orders/:id',
  'GET /api/orders',
  'GET /api/notifications',
];

// k6 reports a route's figures only if they have a threshold; these thresholds always hold.
export function figures(tag, values) {
  return Object.fromEntries(
    values.flatMap((value) => [
      [`http_reqs{${tag}:${value}}`, ['count>=0']],
      [`http_req_failed{${tag}:${value}}`, ['rate>=0']],
      [`http_req_duration{${tag}:${value}}`, ['max>=0']],
    ]),
  );
}

// A wrong answer fails every test; answers of 5xx count against availability.
export const checks = { checks: ['rate==1'], ...figures('name', ROUTES) };

export const available = { http_req_failed: slos['api-availability'] };

export const notified = { order_notification_latency: slos.notified };

// The latency of one scenario's requests, without those of setup().
export function latency(scenario) {
  return { [`http_req_duration{scenario:${scenario}}`]: slos['api-latency'] };
}

// Check that k6 sent the load: it drops an iteration when no virtual user is free.
export const offered = { dropped_iterations: ['rate<0.1'] };

export const exactlyOnce = {
  orders_created: ['count>0'],
  notifications_lost: ['count==0'],
  notifications_doubled: ['count==0'],
};

// End the test as soon as a threshold is crossed, except during the warm-up.
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
  // not url, ip and others: each of their values would add a series to Prometheus
  systemTags: 'scenario group name method status check expected_response error_code'.split(' '),
  setupTimeout: '5m',
};
