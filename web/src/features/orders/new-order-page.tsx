import { zodResolver } from '@hookform/resolvers/zod';
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import { FormProvider, useForm, useWatch, type Control } from 'react-hook-form';

import { useToasts } from '@/services/toasts';
import { useUser } from '@/services/use-signed-in';
import { showFieldErrors } from '@/shared/form-errors';
import { useI18n } from '@/shared/i18n';
import { MAX_TOTAL } from '@/shared/money';
import { Button } from '@/shared/ui/button';
import { Confirm } from '@/shared/ui/confirm';
import { PageHeading } from '@/shared/ui/page';
import { Card } from '@/shared/ui/surfaces';

import { DraftNotices } from './draft-notices';
import { DraftStore, isEmpty } from './draft';
import { LineList } from './line-list';
import { OrderFields } from './order-fields';
import {
  contentOf,
  formFieldOf,
  orderSchema,
  runningTotal,
  type CheckedOrder,
  type DraftContent,
} from './order-schema';
import { usePlaceOrder } from './use-place-order';

export default function NewOrderPage() {
  const { t, format } = useI18n();
  const user = useUser();
  const toasts = useToasts();
  const navigate = useNavigate();
  const [drafts] = useState(() => new DraftStore(user.id, sessionStorage));
  const isMounted = useRef(true);
  useEffect(() => {
    isMounted.current = true;
    return () => {
      isMounted.current = false;
    };
  }, []);
  const form = useForm<DraftContent, unknown, CheckedOrder>({
    resolver: zodResolver(orderSchema),
    defaultValues: contentOf(drafts.draft),
  });
  const order = usePlaceOrder(drafts, {
    onPlaced: (placed) => {
      toasts.show({
        tone: 'ok',
        title: t.newOrder.placed,
        body: `${placed.cliente} · ${format.money(placed.total)}`,
      });
      if (isMounted.current) {
        void navigate({ to: '/orders/$orderId', params: { orderId: placed.id } });
      }
    },
    onFailed: (error) => showFieldErrors(error, formFieldOf, form.setError),
  });
  useEffect(
    () =>
      form.subscribe({
        formState: { values: true },
        callback: ({ values }) => drafts.keep(structuredClone(values)),
      }),
    [drafts, form],
  );
  const startAnother = () => {
    form.reset(contentOf(drafts.startAnother()));
    order.reset();
    requestAnimationFrame(() => form.setFocus('cliente')); // after the fields are back
  };
  return (
    <FormProvider {...form}>
      <form noValidate onSubmit={form.handleSubmit(order.place)}>
        <PageHeading title={t.newOrder.title} intro={t.newOrder.intro} />
        <div className="grid items-start gap-5 lg:grid-cols-[1fr_18rem]">
          <div className="space-y-5">
            <DraftNotices
              draft={drafts.draft}
              error={order.error}
              isSending={order.isPending}
              onStartAnother={startAnother}
            />
            <Card className="p-4 sm:p-5">
              <OrderFields />
            </Card>
            <LineList />
          </div>
          <Summary
            control={form.control}
            isSending={order.isPending}
            retry={order.retry}
            isInDoubt={drafts.draft.isInDoubt}
            isPlaced={drafts.draft.placedOrderId !== null}
            onDiscard={startAnother}
          />
        </div>
      </form>
    </FormProvider>
  );
}

interface SummaryProps {
  control: Control<DraftContent, unknown, CheckedOrder>;
  isSending: boolean;
  retry: number;
  isInDoubt: boolean;
  isPlaced: boolean;
  onDiscard: () => void;
}

function Summary({ control, isSending, retry, isInDoubt, isPlaced, onDiscard }: SummaryProps) {
  const { t, format } = useI18n();
  const content = useWatch({ control }) as DraftContent;
  const total = runningTotal(content.lines);
  return (
    <Card className="p-5 lg:sticky lg:top-24">
      <div className="flex items-baseline justify-between gap-3 lg:block">
        <p className="text-sm font-medium text-ink-soft">{t.newOrder.total}</p>
        <output
          data-testid="total"
          className="text-2xl font-semibold tracking-tight wrap-anywhere tabular-nums lg:mt-1 lg:block"
        >
          {format.cents(total)}
        </output>
      </div>
      <p className="mt-1 text-sm text-ink-soft">{t.orders.lineCount(content.lines.length)}</p>
      {total > MAX_TOTAL && (
        <p role="alert" className="mt-3 text-sm text-danger">
          {t.validation.totalMax}
        </p>
      )}
      <Button type="submit" className="mt-5 w-full" isBusy={isSending} disabled={isPlaced}>
        {isSending ? t.newOrder.submitting : t.newOrder.submit}
      </Button>
      <p role="status" className="text-sm text-warn [&:not(:empty)]:mt-3">
        {isSending && retry > 0 ? t.newOrder.retrying(retry) : ''}
      </p>
      {!isSending && (!isEmpty(content) || isInDoubt) && (
        <Confirm
          trigger={
            <Button kind="quiet" className="mt-2 w-full">
              {t.newOrder.discard}
            </Button>
          }
          title={t.newOrder.discardTitle}
          body={isInDoubt ? t.newOrder.discardInDoubt : t.newOrder.discardBody}
          confirm={t.newOrder.discardConfirm}
          isDangerous
          onConfirm={onDiscard}
        />
      )}
    </Card>
  );
}
