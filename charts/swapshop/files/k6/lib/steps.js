// Steps of a customer. A failed request (5xx, no connection) counts against availability; a wrong
// answer fails a check.
import http from 'k6/http';
import { check, sleep } from 'k6';
import { Counter, Trend } from 'k6/metrics';

import { apiUrl, receiverUrl } from './settings.js';

const created = new Counter('orders_created');
const latency = new Trend('order_notification_latency', true);
const lost = new Counter('notifications_lost');
const doubled = new Counter('notifications_doubled');

// Counted as in the SLO: a refusal is an answer.
http.setResponseCallback(http.expectedStatuses({ min: 200, max: 499 }));

const ORDER = JSON.stringify({
  cliente: 'Ana',
  items: [
    { producto: 'Abrigo de lana', talla: 'M', color: 'azul', cantidad: 1, precio_unitario: 24.9 },
    { producto: 'Bufanda', color: 'azul', cantidad: 2, precio_unitario: 7.5 },
  ],
});
const TOTAL = 39.9;

function options({ token }, route, headers = {}) {
  return { headers: { Authorization: `Bearer ${token}`, ...headers }, tags: { name: route } };
}

export function isAnswered({ status }) {
  return status > 0 && status < 500;
}

// Returns the order, or undefined.
export function placeOrder(session) {
  const answer = http.post(
    `${apiUrl}/api/orders`,
    ORDER,
    options(session, 'POST /api/orders', {
      'Content-Type': 'application/json',
      'Idempotency-Key': crypto.randomUUID(),
    }),
  );
  if (!isAnswered(answer)) return undefined;
  const passed = check(answer, {
    'order is created': (it) => it.status === 201 && it.json('total') === TOTAL,
  });
  if (!passed) return undefined;
  created.add(1);
  return answer.json();
}

// Returns the header X-Cache: HIT, MISS or BYPASS.
export function readOrder(session, id) {
  const answer = http.get(`${apiUrl}/api/orders/${id}`, options(session, 'GET /api/orders/:id'));
  if (!isAnswered(answer)) return undefined;
  check(answer, { 'order is read': (it) => it.status === 200 && it.json('id') === id });
  return answer.headers['X-Cache'];
}

// Reads the newest page, which is not empty, since a visit begins with an order.
export function listOrders(session) {
  const answer = http.get(`${apiUrl}/api/orders?limit=20`, options(session, 'GET /api/orders'));
  if (!isAnswered(answer)) return;
  check(answer, {
    'orders are listed': (it) => it.status === 200 && it.json('items').length > 0,
  });
}

// Returns a page of the caller's notifications, newest first, or undefined.
export function listNotifications(session, cursor) {
  const query = cursor ? `&cursor=${encodeURIComponent(cursor)}` : '';
  const answer = http.get(
    `${receiverUrl}/api/notifications?limit=100${query}`,
    options(session, 'GET /api/notifications'),
  );
  if (!isAnswered(answer)) return undefined;
  const passed = check(answer, { 'notifications are listed': (it) => it.status === 200 });
  return passed ? answer.json() : undefined;
}

// Returns the notifications of orders, by order, or undefined if the request of a page failed.
function notificationsOf(session, orders) {
  const found = new Map(orders.map(({ id }) => [id, []]));
  const oldest = orders[0].created_at;
  let cursor = null;
  do {
    const page = listNotifications(session, cursor);
    if (!page) return undefined;
    for (const item of page.items) {
      if (found.has(item.order_id)) found.get(item.order_id).push(item);
    }
    const last = page.items[page.items.length - 1];
    // notifications stored before the first of these orders belong to other orders
    cursor = last && last.received_at >= oldest ? page.next_cursor : null;
  } while (cursor);
  return found;
}

// Waits until each of the caller's orders (oldest first) has a notification, up to a time limit, and
// then for a second notification, which must not come. Counts the orders with no or several notifications.
export function awaitNotifications(session, orders, patience, settling = 0) {
  const end = Date.now() + patience * 1000;
  let found;
  let missing;
  do {
    sleep(1);
    found = notificationsOf(session, orders) || found;
    missing = found && [...found.values()].filter((items) => items.length === 0).length;
  } while (missing !== 0 && Date.now() < end);
  if (!found) {
    lost.add(orders.length);
    return;
  }
  if (settling) {
    sleep(settling);
    found = notificationsOf(session, orders) || found;
  }
  for (const { id, created_at: from } of orders) {
    for (const { received_at: to } of found.get(id).slice(0, 1)) {
      latency.add(new Date(to) - new Date(from));
    }
  }
  lost.add(missing);
  doubled.add([...found.values()].filter((items) => items.length > 1).length);
}

// One visit: place an order, read it twice, and read both lists.
export function visit(session) {
  const order = placeOrder(session);
  if (order) {
    readOrder(session, order.id);
    readOrder(session, order.id);
  }
  listOrders(session);
  listNotifications(session);
  return order;
}
