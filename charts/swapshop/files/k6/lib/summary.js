// The summary of a test, as a table for people and as JSON for programs.
import { resultsFolder, testId } from './settings.js';

const SCENARIO_FIGURES = /^http_reqs\{(name|scenario):(.+)\}$/;

const LABEL = 26;
const WIDTHS = [9, 9, 8, 11, 10, 10, 10];

const HEADING = ['count', 'per s', 'failed', 'median ms', 'p95 ms', 'p99 ms', 'max ms'].reduce(
  (line, title, index) => line + title.padStart(WIDTHS[index]),
  'request'.padEnd(LABEL),
);

function row({ label, count, perSecond, failed, times }) {
  const figures = [count, perSecond, failed, times.med, times['p(95)'], times['p(99)'], times.max];
  const digits = [0, 1, 0, 2, 2, 2, 2];
  return figures.reduce(
    (line, value, index) => line + value.toFixed(digits[index]).padStart(WIDTHS[index]),
    label.padEnd(LABEL),
  );
}

// Requests by route, and by scenario if a test declares how many seconds each scenario lasts.
function requests(metrics, scenarioSeconds) {
  return Object.keys(metrics).flatMap((metric) => {
    const [, tag, label] = SCENARIO_FIGURES.exec(metric) || [];
    if (!tag || metrics[metric].values.count === 0) return [];
    const { count, rate } = metrics[metric].values;
    const perSecond = tag === 'scenario' ? count / scenarioSeconds : rate;
    const { passes: failed } = metrics[`http_req_failed{${tag}:${label}}`].values;
    const { values: times } = metrics[`http_req_duration{${tag}:${label}}`];
    return [{ label, count, perSecond, failed, times }];
  });
}

// The figure of a threshold such as p(99)<=250.
function figure(values, threshold) {
  const [name] = /^[a-z]+(\([\d.]+\))?/.exec(threshold);
  return values[name] === undefined ? 0 : values[name];
}

function thresholds(metrics) {
  return Object.entries(metrics).flatMap(([metric, { thresholds: own = {}, values }]) =>
    Object.entries(own)
      .filter(([threshold]) => !threshold.endsWith('>=0'))
      .map(([threshold, { ok }]) => ({ metric, threshold, ok, is: figure(values, threshold) })),
  );
}

function summarise({ metrics, root_group: group, state }, scenarioSeconds) {
  const value = (metric, name) => (metrics[metric] ? metrics[metric].values[name] || 0 : 0);
  const judged = thresholds(metrics);
  return {
    testId,
    passed: judged.every(({ ok }) => ok),
    seconds: state.testRunDurationMs / 1000,
    iterations: value('iterations', 'count'),
    iterationsPerSecond: value('iterations', 'rate'),
    dropped: value('dropped_iterations', 'count'),
    virtualUsers: value('vus_max', 'max'),
    reached: value('visits_per_second', 'value'),
    orders: value('orders_created', 'count'),
    lost: value('notifications_lost', 'count'),
    doubled: value('notifications_doubled', 'count'),
    notificationLatency: (metrics.order_notification_latency || { values: {} }).values,
    requests: requests(metrics, scenarioSeconds),
    thresholds: judged,
    checks: group.checks.map(({ name, passes, fails }) => ({ name, passes, fails })),
  };
}

function report(it) {
  const { med, 'p(99)': p99, max } = it.notificationLatency;
  return [
    `${it.testId}: ${it.passed ? 'passed' : 'FAILED'} after ${it.seconds.toFixed(1)} s, ` +
      `${it.iterations} iterations (${it.iterationsPerSecond.toFixed(1)} per second, ` +
      `${it.dropped} dropped) by ${it.virtualUsers} virtual users, ${it.orders} orders created`,
    '',
    HEADING,
    ...it.requests.map(row),
    '',
    ...(it.reached ? [`reached ${it.reached.toFixed(1)} visits per second`, ''] : []),
    ...(max ? [`created to notified, ms: median ${med}, p99 ${p99.toFixed(0)}, max ${max}`, ''] : []),
    'threshold',
    ...it.thresholds.map(
      ({ metric, threshold, ok, is }) =>
        `${ok ? 'ok     ' : 'CROSSED'}  ${metric} ${threshold}: ${Number(is.toFixed(4))}`,
    ),
    '',
    'check',
    ...it.checks.map(
      ({ name, passes, fails }) =>
        `${fails ? 'FAILED ' : 'ok     '}  ${name}: ${passes} of ${passes + fails}`,
    ),
    '',
  ].join('\n');
}

// Without a folder (in a pod) the JSON is the last line of the output.
export function summary(data, scenarioSeconds) {
  const found = summarise(data, scenarioSeconds); // not data itself, which contains the sessions of setup()
  const text = report(found);
  const json = JSON.stringify(found);
  if (!resultsFolder) return { stdout: `${text}summary ${json}\n` };
  return {
    stdout: text,
    [`${resultsFolder}/report.txt`]: text,
    [`${resultsFolder}/summary.json`]: json,
  };
}

export function handleSummary(data) {
  return summary(data);
}
