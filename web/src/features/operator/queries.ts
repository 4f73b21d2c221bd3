import { queryOptions } from '@tanstack/react-query';

import type { components } from '@/api/__generated__/api';
import { dataOf, type Api } from '@/api/client';

export type Delivery = components['schemas']['DeliveryOut'];
export type DeliveryState = Delivery['state'];
export type DeliveryDetail = components['schemas']['DeliveryDetail'];
export type Attempt = components['schemas']['AttemptOut'];

const PAGE_SIZE = 20;
const REFRESH = 5000;

export function pipelineQuery(api: Api) {
  return queryOptions({
    queryKey: ['operator', 'pipeline'],
    queryFn: ({ signal }) => dataOf(api.orders.GET('/api/pipeline', { signal })),
    refetchInterval: REFRESH,
  });
}

export function deliveriesQuery(api: Api, state: DeliveryState | null, cursor: string | null) {
  return queryOptions({
    queryKey: ['operator', 'deliveries', { state, cursor }],
    queryFn: ({ signal }) =>
      dataOf(
        api.orders.GET('/api/deliveries', {
          params: { query: { state, cursor, limit: PAGE_SIZE } },
          signal,
        }),
      ),
    refetchInterval: REFRESH,
  });
}

export function deliveryQuery(api: Api, id: string) {
  return queryOptions({
    queryKey: ['operator', 'delivery', id],
    queryFn: ({ signal }) =>
      dataOf(
        api.orders.GET('/api/deliveries/{delivery_id}', {
          params: { path: { delivery_id: id } },
          signal,
        }),
      ),
    refetchInterval: REFRESH,
  });
}
