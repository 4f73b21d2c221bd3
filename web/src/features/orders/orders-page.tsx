import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';

import { useServices } from '@/services/services';
import { useUser } from '@/services/use-signed-in';
import { useI18n } from '@/shared/i18n';
import { toPages } from '@/shared/paging';
import { buttonClasses } from '@/shared/ui/button';
import { Icon } from '@/shared/ui/icons';
import { PageHeading } from '@/shared/ui/page';
import { PagedList } from '@/shared/ui/paged-list';
import { Badge, Empty } from '@/shared/ui/surfaces';
import { TAB_LIST, tabClasses } from '@/shared/ui/tabs';

import { MarkProcessed } from './mark-processed';
import { ordersQuery, type Estado, type Order } from './queries';

export default function OrdersPage() {
  const { t } = useI18n();
  const { api } = useServices();
  const user = useUser();
  const navigate = useNavigate({ from: '/orders' });
  const { estado = 'PENDING', pages = [] } = useSearch({ from: '/member/orders' });
  const list = useQuery({
    ...ordersQuery(api, estado, pages.at(-1) ?? null),
    placeholderData: keepPreviousData,
  });
  const isOperator = user.rol === 'operator';
  return (
    <>
      <PageHeading
        title={isOperator ? t.orders.titleAll : t.orders.title}
        intro={
          <span className="inline-flex items-center gap-2 text-sm">
            <Icon name="refresh" className="size-4.5" />
            {t.orders.autoRefresh}
          </span>
        }
        actions={<Tabs estado={estado} />}
      />
      <PagedList
        list={list}
        pages={pages}
        onPages={(next) => void navigate({ search: toPages(next) })}
        empty={<NoOrders estado={estado} />}
      >
        {(order) => <OrderRow key={order.id} order={order} canMark={isOperator} />}
      </PagedList>
    </>
  );
}

function Tabs({ estado }: { estado: Estado }) {
  const { t } = useI18n();
  return (
    <nav aria-label={t.orders.states} className={TAB_LIST}>
      <Link
        to="/orders"
        aria-current={estado === 'PENDING' ? 'page' : undefined}
        className={tabClasses(estado === 'PENDING')}
      >
        {t.orders.pending}
      </Link>
      <Link
        to="/orders"
        search={{ estado: 'PROCESSED' }}
        aria-current={estado === 'PROCESSED' ? 'page' : undefined}
        className={tabClasses(estado === 'PROCESSED')}
      >
        {t.orders.processed}
      </Link>
    </nav>
  );
}

function OrderRow({ order, canMark }: { order: Order; canMark: boolean }) {
  const { t, format } = useI18n();
  const [first] = order.items;
  const others = order.items.length - 1;
  const summary = first === undefined ? '' : first.producto;
  return (
    <li className="group relative flex flex-wrap items-center gap-x-4 gap-y-2 px-4 py-4 transition-colors hover:bg-sunken/60 sm:px-5">
      <div className="min-w-0 grow basis-40">
        <Link
          to="/orders/$orderId"
          params={{ orderId: order.id }}
          className="font-semibold tracking-tight wrap-break-word after:absolute after:inset-0"
        >
          {order.cliente}
        </Link>
        <p className="truncate text-sm text-ink-soft">
          {others > 0 ? t.orders.moreLines(summary, others) : summary}
        </p>
      </div>
      <time dateTime={order.created_at} className="hidden text-sm text-ink-soft md:block">
        {format.dateTime(order.created_at)}
      </time>
      <div className="flex flex-col items-end gap-1.5 sm:w-48 sm:flex-row-reverse sm:items-center sm:justify-between">
        <span className="font-semibold tabular-nums">{format.money(order.total)}</span>
        <Badge tone={order.estado === 'PENDING' ? 'warn' : 'ok'}>
          {t.orders.estado[order.estado]}
        </Badge>
      </div>
      {canMark && order.estado === 'PENDING' && (
        <div className="relative">
          <MarkProcessed order={order} />
        </div>
      )}
      <Icon name="right" className="hidden size-5 text-ink-soft sm:block" />
    </li>
  );
}

function NoOrders({ estado }: { estado: Estado }) {
  const { t } = useI18n();
  const isPending = estado === 'PENDING';
  return (
    <Empty
      icon={isPending ? 'bag' : 'check'}
      title={isPending ? t.orders.emptyPending : t.orders.emptyProcessed}
      action={
        <Link to="/orders/new" className={buttonClasses()}>
          <Icon name="plus" />
          {t.shell.newOrder}
        </Link>
      }
    >
      {isPending ? t.orders.emptyPendingBody : t.orders.emptyProcessedBody}
    </Empty>
  );
}
