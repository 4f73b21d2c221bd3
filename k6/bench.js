// Creates, then cached reads of one order, each for a few seconds at a fixed number of clients.
import http from 'k6/http';
import { check } from 'k6';

const url = __ENV.URL;
const seconds = Number(__ENV.SECONDS || 10);
const clients = Number(__ENV.CLIENTS || 20);

export const options = {
  discardResponseBodies: true,
  summaryTrendStats: ['med', 'p(99)'],
  scenarios: {
    creates: { executor: 'constant-vus', vus: clients, duration: `${seconds}s`, exec: 'create' },
    reads: {
      executor: 'constant-vus',
      vus: clients,
      duration: `${seconds}s`,
      startTime: `${seconds + 2}s`,
      exec: 'read',
    },
  },
  thresholds: {
    checks: ['rate==1'],
    // a threshold per scenario makes k6 report the scenario by itself
    'http_req_duration{scenario:creates}': ['p(99)<60000'],
    'http_req_duration{scenario:reads}': ['p(99)<60000'],
    'http_reqs{scenario:creates}': ['count>0'],
    'http_reqs{scenario:reads}': ['count>0'],
  },
};

const order = {
  cliente: 'Ana',
  items: [
    { producto: 'Abrigo de lana', talla: 'M', color: 'azul', cantidad: 1, precio_unitario: 24.9 },
    { producto: 'Bufanda', color: 'azul', cantidad: 2, precio_unitario: 7.5 },
  ],
};

function headers(token) {
  return { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' };
}

export function setup() {
  const account = { nombre: 'Bench', email: `bench-${Date.now()}@swapshop.test`, password: 'swapshop-bench' };
  const registered = http.post(`${url}/api/auth/register`, JSON.stringify(account), {
    headers: { 'Content-Type': 'application/json' },
    responseType: 'text',
  });
  const token = registered.json('token');
  const created = http.post(`${url}/api/orders`, JSON.stringify(order), {
    headers: headers(token),
    responseType: 'text',
  });
  return { token, id: created.json('id') };
}

export function create({ token }) {
  const answer = http.post(`${url}/api/orders`, JSON.stringify(order), {
    headers: { ...headers(token), 'Idempotency-Key': `${__VU}-${__ITER}-${Date.now()}` },
  });
  check(answer, { 'is 201': ({ status }) => status === 201 });
}

export function read({ token, id }) {
  const answer = http.get(`${url}/api/orders/${id}`, {
    headers: headers(token),
    tags: { name: 'read' },
  });
  check(answer, { 'is 200': ({ status }) => status === 200 });
}

export function handleSummary({ metrics }) {
  const figures = (scenario) => {
    const { values: times } = metrics[`http_req_duration{scenario:${scenario}}`];
    const count = metrics[`http_reqs{scenario:${scenario}}`].values.count;
    return { per_second: count / seconds, median_ms: times.med, p99_ms: times['p(99)'] };
  };
  const summary = { creates: figures('creates'), reads: figures('reads') };
  return { [__ENV.SUMMARY]: JSON.stringify(summary) };
}
