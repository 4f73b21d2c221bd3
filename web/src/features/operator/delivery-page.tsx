import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import type { ReactNode } from 'react';

import { useServices } from '@/services/services';
import { useUser } from '@/services/use-signed-in';
import { useI18n } from '@/shared/i18n';
import { CopyButton } from '@/shared/ui/copy-button';
import { Icon } from '@/shared/ui/icons';
import { FailureNotice, PageHeading } from '@/shared/ui/page';
import { Badge, Card, SkeletonRows } from '@/shared/ui/surfaces';

import { OperatorsOnly } from './operators-only';
import { deliveryQuery, type Attempt, type DeliveryDetail } from './queries';
import { Redrive } from './redrive';
import { StateBadge } from './state-badge';

export default function DeliveryPage() {
  const user = useUser();
  const { deliveryId } = useParams({ from: '/member/operator/deliveries/$deliveryId' });
  return user.rol === 'operator' ? <Delivery id={deliveryId} /> : <OperatorsOnly />;
}

function Delivery({ id }: { id: string }) {
  const { t, format } = useI18n();
  const { api } = useServices();
  const detail = useQuery(deliveryQuery(api, id));
  const delivery = detail.data;
  const canRedrive = delivery?.state === 'DEAD' || delivery?.state === 'DONE';
  return (
    <>
      <PageHeading
        title={t.operator.deliveryTitle}
        above={
          <Link
            to="/operator"
            className="mb-3 -ml-1 inline-flex min-h-8 items-center gap-1 rounded-lg pr-2 text-sm font-medium text-ink-soft hover:text-ink"
          >
            <Icon name="left" className="size-4.5" />
            {t.operator.title}
          </Link>
        }
        {...(delivery === undefined
          ? {}
          : {
              intro: (
                <div className="flex flex-wrap items-center gap-3 text-sm">
                  <StateBadge state={delivery.state} />
                  <time dateTime={delivery.created_at}>{format.dateTime(delivery.created_at)}</time>
                </div>
              ),
              actions: canRedrive && <Redrive delivery={delivery} size="normal" />,
            })}
      />
      {detail.isError && (
        <div className="mb-4">
          <FailureNotice error={detail.error} onRetry={() => void detail.refetch()} />
        </div>
      )}
      {detail.isPending && (
        <Card>
          <SkeletonRows />
        </Card>
      )}
      {delivery !== undefined && (
        <div className="grid items-start gap-5 lg:grid-cols-[20rem_1fr]">
          <Facts delivery={delivery} />
          <Attempts attempts={delivery.attempt_log} />
        </div>
      )}
    </>
  );
}

function Facts({ delivery }: { delivery: DeliveryDetail }) {
  const { t, format } = useI18n();
  const isWaiting = delivery.state === 'READY';
  return (
    <Card className="px-5 py-2">
      <dl className="divide-y divide-line">
        <Fact name={t.operator.order}>
          <Link
            to="/orders/$orderId"
            params={{ orderId: delivery.order_id }}
            className="font-mono text-xs break-all text-accent underline underline-offset-4"
          >
            {delivery.order_id}
          </Link>
        </Fact>
        <Fact name={t.operator.lastError}>
          {delivery.last_error === null ? (
            t.operator.noError
          ) : (
            <span className="font-mono text-xs break-all text-danger">{delivery.last_error}</span>
          )}
        </Fact>
        {delivery.last_status !== null && (
          <Fact name={t.operator.lastStatus}>{t.orders.httpStatus(delivery.last_status)}</Fact>
        )}
        {isWaiting && (
          <Fact name={t.operator.nextAttempt}>{format.time(delivery.next_attempt_at)}</Fact>
        )}
        {delivery.lease_until !== null && (
          <Fact name={t.operator.leaseUntil}>{format.time(delivery.lease_until)}</Fact>
        )}
        {delivery.done_at !== null && (
          <Fact name={t.operator.doneAt}>{format.time(delivery.done_at)}</Fact>
        )}
        {delivery.aways > 0 && <Fact name={t.operator.aways}>{format.number(delivery.aways)}</Fact>}
        <Fact name={t.operator.eventType}>
          <span className="font-mono text-xs">{delivery.event_type}</span>
        </Fact>
        <Fact name={t.operator.webhookId}>
          <span className="flex items-center">
            <span className="font-mono text-xs break-all">{delivery.webhook_id}</span>
            <CopyButton text={delivery.webhook_id} label={t.operator.webhookId} />
          </span>
        </Fact>
      </dl>
    </Card>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="py-3">
      <dt className="text-sm text-ink-soft">{name}</dt>
      <dd className="mt-0.5 text-[0.9375rem]">{children}</dd>
    </div>
  );
}

function Attempts({ attempts }: { attempts: readonly Attempt[] }) {
  const { t } = useI18n();
  return (
    <Card>
      <section aria-labelledby="attempts-title">
        <h2
          id="attempts-title"
          className="border-b border-line px-5 py-4 font-semibold tracking-tight"
        >
          {t.operator.attemptLog}
        </h2>
        {attempts.length === 0 ? (
          <p className="px-5 py-6 text-ink-soft">{t.operator.noAttempts}</p>
        ) : (
          <ol className="divide-y divide-line">
            {attempts.map((attempt, position) => (
              <AttemptRow key={position} attempt={attempt} />
            ))}
          </ol>
        )}
      </section>
    </Card>
  );
}

function AttemptRow({ attempt }: { attempt: Attempt }) {
  const { t, format } = useI18n();
  const outcome = attempt.outcome ?? 'unknown';
  const tone =
    outcome === 'delivered'
      ? 'ok'
      : outcome === 'rejected'
        ? 'danger'
        : outcome === 'unknown'
          ? 'neutral'
          : 'warn';
  return (
    <li className="px-5 py-3.5">
      <div className="flex flex-wrap items-center justify-between gap-x-4 gap-y-1.5">
        <span className="tabular-nums">
          <time dateTime={attempt.claimed_at}>{format.time(attempt.claimed_at)}</time>
        </span>
        <span className="flex items-center gap-3">
          {attempt.status !== null && (
            <span className="text-sm text-ink-soft">{t.orders.httpStatus(attempt.status)}</span>
          )}
          <Badge tone={tone}>{t.orders.outcomes[outcome]}</Badge>
        </span>
      </div>
      {attempt.error !== null && (
        <p className="mt-1 font-mono text-xs break-all text-danger">{attempt.error}</p>
      )}
    </li>
  );
}
