import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';

import { useServices } from '@/services/services';
import { useUser } from '@/services/use-signed-in';
import { useI18n } from '@/shared/i18n';
import { toPages } from '@/shared/paging';
import { Icon } from '@/shared/ui/icons';
import { PageHeading } from '@/shared/ui/page';
import { PagedList } from '@/shared/ui/paged-list';
import { Empty } from '@/shared/ui/surfaces';
import { TAB_LIST, tabClasses } from '@/shared/ui/tabs';

import { OperatorsOnly } from './operators-only';
import { PipelineFigures } from './pipeline';
import { deliveriesQuery, type Delivery, type DeliveryState } from './queries';
import { Redrive } from './redrive';
import { DELIVERY_STATES } from './search';
import { StateBadge } from './state-badge';

export default function OperatorPage() {
  const { t } = useI18n();
  const user = useUser();
  if (user.rol !== 'operator') return <OperatorsOnly />;
  return (
    <>
      <PageHeading title={t.operator.title} intro={t.operator.intro} />
      <PipelineFigures />
      <Deliveries />
    </>
  );
}

function Deliveries() {
  const { t } = useI18n();
  const { api } = useServices();
  const navigate = useNavigate({ from: '/operator' });
  const { state, pages = [] } = useSearch({ from: '/member/operator' });
  const list = useQuery({
    ...deliveriesQuery(api, state ?? null, pages.at(-1) ?? null),
    placeholderData: keepPreviousData,
  });
  return (
    <section aria-labelledby="deliveries-title" className="mt-8">
      <div className="mb-4 flex flex-wrap items-center justify-between gap-x-6 gap-y-3">
        <h2 id="deliveries-title" className="text-lg font-semibold tracking-tight">
          {t.operator.deliveries}
        </h2>
        <StateTabs state={state} />
      </div>
      <PagedList
        list={list}
        pages={pages}
        onPages={(next) => void navigate({ search: toPages(next) })}
        empty={<NoDeliveries state={state} />}
      >
        {(delivery) => <DeliveryRow key={delivery.id} delivery={delivery} />}
      </PagedList>
    </section>
  );
}

function StateTabs({ state }: { state: DeliveryState | undefined }) {
  const { t } = useI18n();
  return (
    <nav aria-label={t.operator.states} className={TAB_LIST}>
      <Link
        to="/operator"
        resetScroll={false}
        aria-current={state === undefined ? 'page' : undefined}
        className={tabClasses(state === undefined)}
      >
        {t.operator.allStates}
      </Link>
      {DELIVERY_STATES.map((each) => (
        <Link
          key={each}
          to="/operator"
          search={{ state: each }}
          resetScroll={false}
          aria-current={state === each ? 'page' : undefined}
          className={tabClasses(state === each)}
        >
          {t.operator.state[each]}
        </Link>
      ))}
    </nav>
  );
}

function DeliveryRow({ delivery }: { delivery: Delivery }) {
  const { t, format } = useI18n();
  return (
    <li className="relative flex flex-wrap items-center gap-x-4 gap-y-2 px-4 py-3.5 transition-colors hover:bg-sunken/60 sm:px-5">
      <div className="min-w-0 grow basis-72">
        <Link
          to="/operator/deliveries/$deliveryId"
          params={{ deliveryId: delivery.id }}
          className="font-mono text-[0.8125rem] font-medium break-all after:absolute after:inset-0"
        >
          {delivery.order_id}
        </Link>
        <p className="text-sm text-ink-soft">
          <time dateTime={delivery.created_at}>{format.dateTime(delivery.created_at)}</time>
          {' · '}
          {t.operator.attempts(delivery.attempts)}
        </p>
        {delivery.state !== 'DONE' && delivery.last_error !== null && (
          <p className="mt-0.5 line-clamp-2 font-mono text-xs break-all text-danger">
            {delivery.last_error}
          </p>
        )}
      </div>
      <StateBadge state={delivery.state} />
      {delivery.state === 'DEAD' && (
        <div className="relative">
          <Redrive delivery={delivery} size="small" />
        </div>
      )}
      <Icon name="right" className="hidden size-5 text-ink-soft sm:block" />
    </li>
  );
}

function NoDeliveries({ state }: { state: DeliveryState | undefined }) {
  const { t } = useI18n();
  const isDead = state === 'DEAD';
  return (
    <Empty
      icon={isDead ? 'check' : 'pulse'}
      title={isDead ? t.operator.emptyDead : t.operator.empty}
    >
      {isDead ? t.operator.emptyDeadBody : t.operator.emptyBody}
    </Empty>
  );
}
