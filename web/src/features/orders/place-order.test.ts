import { describe, expect, it } from 'vitest';

import { createApi } from '@/api/client';
import { Failure } from '@/api/failure';

import { json, problem } from '../../../tests/browser';
import { isInDoubt, placeOrder } from './place-order';

const ORDER = { id: 'order-1', cliente: 'Ana', items: [], total: 1, estado: 'PENDING' };
const BODY = { cliente: 'Ana', items: [] };

type Answer = Response | Error;

/** Places an order with a server that gives these answers; returns what the server saw. */
async function place(...answers: Answer[]) {
  const keys: (string | null)[] = [];
  const pauses: number[] = [];
  const retries: number[] = [];
  const api = createApi((request) => {
    keys.push(request.headers.get('idempotency-key'));
    const answer = answers.shift() ?? json(201, ORDER);
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  });
  const result = await placeOrder(api, 'the-key', BODY, {
    pause: (milliseconds) => Promise.resolve(void pauses.push(milliseconds)),
    onRetry: (retry) => retries.push(retry),
  }).catch((error: unknown) => error);
  return { result, keys, pauses, retries };
}

const network = () => new TypeError('failed to fetch');

describe('placeOrder', () => {
  it('sends the key of the draft', async () => {
    expect(await place()).toEqual({ result: ORDER, keys: ['the-key'], pauses: [], retries: [] });
  });

  it.each([
    ['nobody answers', network],
    ['a proxy answers', () => new Response('<h1>Bad Gateway</h1>', { status: 502 })],
    ['the outcome is unknown', () => problem(503, 'outcome_unknown')],
    [
      'it is still in flight',
      () => problem(409, 'idempotency_in_flight', {}, { 'Retry-After': '1' }),
    ],
  ])('tries again under the same key while %s', async (_, answer) => {
    const seen = await place(answer(), answer());
    expect(seen).toEqual({
      result: ORDER,
      keys: ['the-key', 'the-key', 'the-key'],
      pauses: [1000, 2000],
      retries: [1, 2],
    });
  });

  it('waits as long as it is asked to', async () => {
    const { pauses } = await place(problem(503, 'busy', {}, { 'Retry-After': '7' }));
    expect(pauses).toEqual([7000]);
  });

  it('gives up after four tries', async () => {
    const { result, keys } = await place(network(), network(), network(), network());
    expect(keys).toHaveLength(4);
    expect(result).toEqual(new Failure('network'));
    expect(isInDoubt(result)).toBe(true);
  });

  it('names the order that the key has already made, and does not try again', async () => {
    const { result, keys } = await place(
      problem(422, 'idempotency_key_reused', { order_id: 'order-0' }),
    );
    expect(keys).toHaveLength(1);
    expect(result).toMatchObject({ code: 'idempotency_key_reused', orderId: 'order-0' });
  });

  it('is certain that a refused order was not made', async () => {
    const errors = [{ field: 'items.0.cantidad', code: 'missing', message: 'falta' }];
    const { result, keys } = await place(problem(422, 'invalid_request', { errors }));
    expect(keys).toHaveLength(1);
    expect(result).toMatchObject({ code: 'invalid_request', fields: errors });
    expect(isInDoubt(result)).toBe(false);
  });
});
