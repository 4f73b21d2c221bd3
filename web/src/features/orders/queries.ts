import { queryOptions, type QueryClient } from '@tanstack/react-query';

import type { components } from '@/api/__generated__/api';
import { answerOf, dataOf, type Api } from '@/api/client';

export type Order = components['schemas']['OrderOut'];
type OrderPage = components['schemas']['OrderPage'];
export type TimelineEvent = components['schemas']['TimelineEvent'];
export type Estado = Order['estado'];

const PAGE_SIZE = 20;
/** Pending orders change within seconds; processed ones do not change. */
const REFRESH: Record<Estado, number> = { PENDING: 4000, PROCESSED: 15_000 };
const DETAIL_REFRESH = 3000;

export function ordersQuery(api: Api, estado: Estado, cursor: string | null) {
  const query = { limit: PAGE_SIZE, cursor };
  return queryOptions({
    queryKey: ['orders', 'list', { estado, cursor }],
    queryFn: ({ signal }) =>
      dataOf(
        estado === 'PENDING'
          ? api.orders.GET('/api/orders/pending', { params: { query }, signal })
          : api.orders.GET('/api/orders/processed', { params: { query }, signal }),
      ),
    refetchInterval: REFRESH[estado],
  });
}

export type ServedBy = 'HIT' | 'MISS' | 'BYPASS';

export interface ServedOrder {
  readonly order: Order;
  readonly servedBy: ServedBy | null;
  /** The time from the request to the answer, as measured by this page. */
  readonly milliseconds: number | null;
}

function servedByOf(response: Response): ServedBy | null {
  const value = response.headers.get('X-Cache');
  return value === 'HIT' || value === 'MISS' || value === 'BYPASS' ? value : null;
}

export function orderQuery(api: Api, id: string) {
  return queryOptions({
    queryKey: ['orders', 'detail', id],
    queryFn: async ({ signal }): Promise<ServedOrder> => {
      const began = performance.now();
      const { data, response } = await answerOf(
        api.orders.GET('/api/orders/{order_id}', {
          params: { path: { order_id: id } },
          signal,
        }),
      );
      return {
        order: data,
        servedBy: servedByOf(response),
        milliseconds: Math.round(performance.now() - began),
      };
    },
    refetchInterval: ({ state }) =>
      state.data?.order.estado === 'PROCESSED' ? false : DETAIL_REFRESH,
  });
}

export function timelineQuery(api: Api, id: string) {
  return queryOptions({
    queryKey: ['orders', 'timeline', id],
    queryFn: ({ signal }) =>
      dataOf(
        api.orders.GET('/api/orders/{order_id}/timeline', {
          params: { path: { order_id: id } },
          signal,
        }),
      ),
    refetchInterval: ({ state }) =>
      state.data?.items.some(({ event }) => event === 'notified') === true ? false : DETAIL_REFRESH,
  });
}

/** Shows a new order at once, on the pending list and on its page. */
export function addPlacedOrder(client: QueryClient, order: Order): void {
  client.setQueryData<ServedOrder>(['orders', 'detail', order.id], {
    order,
    servedBy: null,
    milliseconds: null,
  });
  if (order.estado === 'PENDING') {
    client.setQueryData<OrderPage>(
      ['orders', 'list', { estado: 'PENDING', cursor: null }],
      (page) => {
        if (page?.items.some(({ id }) => id === order.id) === true) return page;
        const items = [order, ...(page?.items ?? [])].slice(0, PAGE_SIZE);
        return { items, next_cursor: page?.next_cursor ?? null };
      },
    );
  }
  void client.invalidateQueries({ queryKey: ['orders'] });
}
