import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import type { ReactNode } from 'react';

import { useServices } from '@/services/services';
import { useUser } from '@/services/use-signed-in';
import { useI18n } from '@/shared/i18n';
import { fromAmount } from '@/shared/money';
import { Button } from '@/shared/ui/button';
import { Icon } from '@/shared/ui/icons';
import { FailureNotice, PageHeading } from '@/shared/ui/page';
import { Badge, Card, SkeletonRows } from '@/shared/ui/surfaces';

import { MarkProcessed } from './mark-processed';
import { OrderFacts } from './order-fields';
import { orderQuery, timelineQuery, type Order, type ServedOrder } from './queries';
import { Timeline } from './timeline';

export default function OrderPage() {
  const { t } = useI18n();
  const { api } = useServices();
  const user = useUser();
  const { orderId } = useParams({ from: '/member/orders/$orderId' });
  const detail = useQuery(orderQuery(api, orderId));
  const order = detail.data?.order;
  return (
    <>
      <PageHeading
        key={order === undefined ? 'loading' : 'loaded'}
        title={order === undefined ? t.orders.order : t.orders.orderOf(order.cliente)}
        above={<BackLink />}
        {...(order === undefined
          ? {}
          : {
              intro: <OrderFacts order={order} />,
              actions: user.rol === 'operator' && order.estado === 'PENDING' && (
                <MarkProcessed order={order} />
              ),
            })}
      />
      {detail.isError && (
        <div className="mb-4">
          <FailureNotice error={detail.error} onRetry={() => void detail.refetch()} />
        </div>
      )}
      {detail.isPending && (
        <Card>
          <SkeletonRows rows={4} />
        </Card>
      )}
      {detail.data !== undefined && (
        <div className="grid items-start gap-5 lg:grid-cols-[1fr_20rem]">
          <Lines order={detail.data.order} />
          <div className="grid gap-5">
            <OrderTimeline order={detail.data.order} />
            <Served
              served={detail.data}
              isReading={detail.isFetching}
              onRead={() => void detail.refetch()}
            />
          </div>
        </div>
      )}
    </>
  );
}

function BackLink() {
  const { t } = useI18n();
  return (
    <Link
      to="/orders"
      className="mb-3 -ml-1 inline-flex min-h-8 items-center gap-1 rounded-lg pr-2 text-sm font-medium text-ink-soft hover:text-ink"
    >
      <Icon name="left" className="size-4.5" />
      {t.shell.orders}
    </Link>
  );
}

function Section({
  title,
  children,
  aside,
}: {
  title: string;
  children: ReactNode;
  aside?: ReactNode;
}) {
  return (
    <Card>
      <section aria-label={title}>
        <div className="flex min-h-14 items-center justify-between gap-3 border-b border-line px-5 py-2">
          <h2 className="font-semibold tracking-tight">{title}</h2>
          {aside}
        </div>
        {children}
      </section>
    </Card>
  );
}

function Lines({ order }: { order: Order }) {
  const { t, format } = useI18n();
  return (
    <Section
      title={t.orders.lines}
      aside={
        <span className="text-sm text-ink-soft">{t.orders.lineCount(order.items.length)}</span>
      }
    >
      <ul className="divide-y divide-line">
        {order.items.map((line, position) => {
          const variant = [line.talla, line.color].filter((each) => each !== null).join(' · ');
          const subtotal = fromAmount(line.precio_unitario) * line.cantidad;
          return (
            <li key={position} className="flex items-baseline justify-between gap-4 px-5 py-3.5">
              <div className="min-w-0">
                <p className="font-medium wrap-break-word">{line.producto}</p>
                {variant !== '' && (
                  <p className="text-sm wrap-break-word text-ink-soft">{variant}</p>
                )}
              </div>
              <p className="shrink-0 text-right tabular-nums">
                <span className="block font-medium">{format.cents(subtotal)}</span>
                <span className="text-sm text-ink-soft">
                  {format.number(line.cantidad)} × {format.money(line.precio_unitario)}
                </span>
              </p>
            </li>
          );
        })}
      </ul>
      <div className="flex items-baseline justify-between rounded-b-2xl border-t border-line bg-sunken/60 px-5 py-4">
        <span className="font-semibold">{t.orders.total}</span>
        <span className="text-xl font-semibold tracking-tight tabular-nums">
          {format.money(order.total)}
        </span>
      </div>
    </Section>
  );
}

function OrderTimeline({ order }: { order: Order }) {
  const { t } = useI18n();
  const { api } = useServices();
  const timeline = useQuery(timelineQuery(api, order.id));
  return (
    <Section title={t.orders.timeline}>
      {timeline.isPending && <SkeletonRows rows={3} />}
      {timeline.isError && (
        <div className="p-4">
          <FailureNotice error={timeline.error} onRetry={() => void timeline.refetch()} />
        </div>
      )}
      {timeline.data !== undefined && <Timeline events={timeline.data.items} />}
    </Section>
  );
}

interface ServedProps {
  served: ServedOrder;
  isReading: boolean;
  onRead: () => void;
}

function Served({ served, isReading, onRead }: ServedProps) {
  const { t } = useI18n();
  const { servedBy, milliseconds } = served;
  return (
    <Section
      title={t.orders.served}
      aside={
        <Button kind="quiet" size="small" isBusy={isReading} onClick={onRead}>
          <Icon name="refresh" className="size-4.5" />
          {t.orders.readAgain}
        </Button>
      }
    >
      <div className="px-5 py-4" aria-live="polite">
        <p className="mb-1.5 flex items-center gap-2">
          <Badge tone={servedBy === 'HIT' ? 'accent' : 'neutral'}>
            {servedBy ?? t.common.none}
          </Badge>
          {milliseconds !== null && (
            <span className="text-sm text-ink-soft tabular-nums">
              {t.orders.milliseconds(milliseconds)}
            </span>
          )}
        </p>
        <p className="text-sm text-ink-soft">{t.orders.servedBy[servedBy ?? 'unknown']}</p>
      </div>
    </Section>
  );
}
