import type { components } from '@/api/__generated__/api';
import { dataOf, type Api } from '@/api/client';
import { Failure } from '@/api/failure';

import type { Order } from './queries';

export type OrderBody = components['schemas']['OrderIn'];

const TRIES = 4;
const FIRST_PAUSE = 1000;

interface PlaceOptions {
  readonly pause: (milliseconds: number) => Promise<void>;
  /** Called before each retry with its number, which starts at 1. */
  readonly onRetry: (retry: number) => void;
}

/** Whether the same request can succeed later: nobody answered, or the order is being saved. */
function mayComeThrough(failure: Failure): boolean {
  return failure.isAway || failure.code === 'idempotency_in_flight';
}

/**
 * Places an order. Tries again with the same key while nobody answers, so one order is made however
 * many of the requests arrive.
 *
 * @throws Failure; SessionEnded.
 */
export async function placeOrder(
  api: Api,
  key: string,
  body: OrderBody,
  { pause, onRetry }: PlaceOptions,
): Promise<Order> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await dataOf(
        api.orders.POST('/api/orders', {
          params: { header: { 'idempotency-key': key } },
          body,
        }),
      );
    } catch (error) {
      if (!(error instanceof Failure) || !mayComeThrough(error) || tries === TRIES) throw error;
      const asked = (error.retryAfterSeconds ?? 0) * 1000;
      onRetry(tries);
      await pause(Math.max(asked, FIRST_PAUSE * 2 ** (tries - 1)));
    }
  }
}

/** Whether an order may have been made although the answer is not a 201. */
export function isInDoubt(error: unknown): boolean {
  return !(error instanceof Failure) || mayComeThrough(error) || (error.status ?? 500) >= 500;
}
