import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { Failure } from '@/api/failure';
import { useServices } from '@/services/services';
import { useSendOnce } from '@/shared/use-send-once';
import { pause } from '@/shared/waiting';

import type { DraftStore } from './draft';
import { toBody, type CheckedOrder } from './order-schema';
import { isInDoubt, placeOrder } from './place-order';
import { addPlacedOrder, type Order } from './queries';

interface Handlers {
  readonly onPlaced: (order: Order) => void;
  readonly onFailed: (error: Error) => void;
}

/** Sends the draft under its key; the outcome is stored in the draft before anything is shown. */
export function usePlaceOrder(drafts: DraftStore, { onPlaced, onFailed }: Handlers) {
  const { api } = useServices();
  const client = useQueryClient();
  const [retry, setRetry] = useState(0);
  const mutation = useSendOnce({
    mutationFn: async (checked: CheckedOrder) => {
      const { key, isInDoubt: wasInDoubt } = drafts.draft;
      drafts.sending();
      try {
        const order = await placeOrder(api, key, toBody(checked), {
          pause,
          onRetry: setRetry,
        });
        drafts.startAnother();
        return order;
      } catch (error) {
        if (error instanceof Failure && error.orderId !== null) drafts.placedBefore(error.orderId);
        else if (!isInDoubt(error)) drafts.refused(wasInDoubt);
        throw error;
      }
    },
    onSuccess: (order) => {
      addPlacedOrder(client, order);
      onPlaced(order);
    },
    onError: onFailed,
    onSettled: () => setRetry(0),
  });
  return {
    retry,
    isPending: mutation.isPending,
    error: mutation.error,
    reset: mutation.reset,
    place: (checked: CheckedOrder) => mutation.send(checked),
  };
}
