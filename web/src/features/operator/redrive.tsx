import { useMutation, useQueryClient } from '@tanstack/react-query';

import { dataOf } from '@/api/client';
import { Failure } from '@/api/failure';
import { useServices } from '@/services/services';
import { useToasts } from '@/services/toasts';
import { messageOf, useI18n } from '@/shared/i18n';
import { Button } from '@/shared/ui/button';
import { Confirm } from '@/shared/ui/confirm';
import { Icon } from '@/shared/ui/icons';

import type { Delivery } from './queries';

/** Sends a dead or done delivery again after the operator has confirmed it. */
export function Redrive({ delivery, size }: { delivery: Delivery; size: 'small' | 'normal' }) {
  const { t } = useI18n();
  const { api } = useServices();
  const toasts = useToasts();
  const client = useQueryClient();
  const redrive = useMutation({
    mutationFn: () =>
      dataOf(
        api.orders.POST('/api/deliveries/{delivery_id}/redrive', {
          params: { path: { delivery_id: delivery.id } },
        }),
      ),
    onSuccess: () => toasts.show({ tone: 'ok', title: t.operator.redriven }),
    onError: (error) => {
      const failure = error instanceof Failure ? error : new Failure('unexpected');
      toasts.show({
        tone: 'danger',
        title: t.operator.redriveFailed,
        body: messageOf(t, failure),
      });
    },
    onSettled: () => client.invalidateQueries({ queryKey: ['operator'] }),
  });
  return (
    <Confirm
      trigger={
        <Button
          kind={delivery.state === 'DEAD' ? 'primary' : 'secondary'}
          size={size}
          isBusy={redrive.isPending}
        >
          <Icon name="refresh" className="size-4.5" />
          {t.operator.redrive}
        </Button>
      }
      title={t.operator.redriveTitle}
      body={t.operator.redriveBody}
      confirm={t.operator.redriveConfirm}
      onConfirm={() => redrive.mutate()}
    />
  );
}
