import { useMutation, useQueryClient } from '@tanstack/react-query';

import { dataOf } from '@/api/client';
import { Failure } from '@/api/failure';
import { useServices } from '@/services/services';
import { useToasts } from '@/services/toasts';
import { messageOf, useI18n } from '@/shared/i18n';
import { Button } from '@/shared/ui/button';
import { Icon } from '@/shared/ui/icons';

import type { Order } from './queries';

/** Lets an operator process an order by hand; doing it twice changes nothing. */
export function MarkProcessed({ order }: { order: Order }) {
  const { t } = useI18n();
  const { api } = useServices();
  const toasts = useToasts();
  const client = useQueryClient();
  const mark = useMutation({
    mutationFn: () =>
      dataOf(
        api.orders.POST('/api/orders/{order_id}/mark-processed', {
          params: { path: { order_id: order.id } },
        }),
      ),
    onSuccess: () => toasts.show({ tone: 'ok', title: t.orders.marked, body: order.cliente }),
    onError: (error) => {
      const failure = error instanceof Failure ? error : new Failure('unexpected');
      toasts.show({
        tone: 'danger',
        title: t.orders.markFailed,
        body: messageOf(t, failure),
      });
    },
    onSettled: () => client.invalidateQueries({ queryKey: ['orders'] }),
  });
  return (
    <Button
      kind="secondary"
      size="small"
      isBusy={mark.isPending}
      aria-label={t.orders.markProcessedFor(order.cliente)}
      onClick={() => mark.mutate()}
    >
      <Icon name="check" className="size-4.5" />
      {t.orders.markProcessed}
    </Button>
  );
}
