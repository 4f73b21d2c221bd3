import { useFormContext } from 'react-hook-form';

import { useI18n } from '@/shared/i18n';
import { CopyButton } from '@/shared/ui/copy-button';
import { Field } from '@/shared/ui/field';
import { Badge } from '@/shared/ui/surfaces';
import { errorText } from '@/shared/validation';

import type { CheckedOrder, DraftContent } from './order-schema';
import type { Order } from './queries';

/** The fields of an order that the customer types, apart from its lines. */
export function OrderFields() {
  const { t } = useI18n();
  const { register, formState } = useFormContext<DraftContent, unknown, CheckedOrder>();
  return (
    <Field
      {...register('cliente')}
      label={t.newOrder.customer}
      hint={t.newOrder.customerHint}
      autoComplete="off"
      error={errorText(t, formState.errors.cliente?.message)}
    />
  );
}

/** The fields of a placed order, apart from its lines. */
export function OrderFacts({ order }: { order: Order }) {
  const { t, format } = useI18n();
  return (
    <div className="flex flex-wrap items-center gap-x-3 gap-y-1.5 text-sm">
      <Badge tone={order.estado === 'PENDING' ? 'warn' : 'ok'}>
        {t.orders.estado[order.estado]}
      </Badge>
      <time dateTime={order.created_at}>{format.dateTime(order.created_at)}</time>
      <span className="flex items-center">
        <span className="font-mono text-xs break-all">{order.id}</span>
        <CopyButton text={order.id} label={t.orders.identifier} />
      </span>
    </div>
  );
}
