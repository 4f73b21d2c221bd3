import { http, HttpResponse } from 'msw';
import { setupServer } from 'msw/node';

import { problem } from './browser';

export const ANA = {
  id: '01890a5d-ac96-774b-bcce-b302099a8057',
  nombre: 'Ana',
  email: 'ana@shop.test',
  rol: 'customer' as 'customer' | 'operator',
};

export const ORDER = {
  id: '01890a5d-ac96-774b-bcce-b302099a8058',
  cliente: 'Lucía',
  items: [{ producto: 'Abrigo', talla: 'M', color: null, cantidad: 2, precio_unitario: 24.9 }],
  total: 49.8,
  estado: 'PENDING',
  created_at: '2026-01-01T10:00:00.000000Z',
  processed_at: null,
};

export const at = (path: string) => `http://shop.test${path}`;

export const signedIn = (user = ANA) => ({ token: 'secret', expires_in: 600, user });

const nothing = { items: [], next_cursor: null };

/** The services when everything works and nothing is stored yet. */
export const server = setupServer(
  http.post(at('/api/auth/login'), () => HttpResponse.json(signedIn())),
  http.post(at('/api/auth/refresh'), () => HttpResponse.json(signedIn())),
  http.post(at('/api/auth/logout'), () => new HttpResponse(null, { status: 204 })),
  http.get(at('/api/orders/pending'), () => HttpResponse.json(nothing)),
  http.get(at('/api/orders/processed'), () => HttpResponse.json(nothing)),
  http.get(at('/api/orders/:id'), () =>
    HttpResponse.json(ORDER, { headers: { 'X-Cache': 'HIT' } }),
  ),
  http.get(at('/api/orders/:id/timeline'), () =>
    HttpResponse.json({ items: [{ at: ORDER.created_at, event: 'created' }] }),
  ),
  http.get(at('/api/notifications'), () => HttpResponse.json({ ...nothing, unread: 0 })),
  http.get(at('/api/notifications/stream'), () =>
    problem(503, 'streams_unavailable', {}, { 'Retry-After': '30' }),
  ),
);
