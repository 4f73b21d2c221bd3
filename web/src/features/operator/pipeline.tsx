import { useQuery } from '@tanstack/react-query';

import { useServices } from '@/services/services';
import { useI18n } from '@/shared/i18n';
import { classes } from '@/shared/ui/classes';
import { FailureNotice } from '@/shared/ui/page';
import { Card } from '@/shared/ui/surfaces';

import { pipelineQuery } from './queries';

type Tone = 'plain' | 'warn' | 'danger';

const TONES: Record<Tone, string> = { plain: '', warn: 'text-warn', danger: 'text-danger' };

/** The number of orders at each stage of the pipeline. */
export function PipelineFigures() {
  const { t, format } = useI18n();
  const { api } = useServices();
  const pipeline = useQuery(pipelineQuery(api));
  if (pipeline.isError && pipeline.data === undefined) {
    return <FailureNotice error={pipeline.error} onRetry={() => void pipeline.refetch()} />;
  }
  const figures = pipeline.data;
  const oldest = figures?.oldest_age_seconds ?? null;
  const count = (value: number | undefined) =>
    value === undefined ? undefined : format.number(value);
  return (
    <section aria-label={t.operator.pipeline}>
      <dl className="grid grid-cols-2 gap-3 sm:grid-cols-3 lg:grid-cols-6">
        <Figure name={t.operator.pending} value={count(figures?.pending)} />
        <Figure name={t.operator.ready} value={count(figures?.ready)} />
        <Figure name={t.operator.inFlight} value={count(figures?.in_flight)} />
        <Figure
          name={t.operator.blocked}
          value={count(figures?.blocked)}
          tone={(figures?.blocked ?? 0) > 0 ? 'warn' : 'plain'}
        />
        <Figure
          name={t.operator.dead}
          value={count(figures?.dead)}
          tone={(figures?.dead ?? 0) > 0 ? 'danger' : 'plain'}
        />
        <Figure
          name={t.operator.oldest}
          value={
            figures === undefined
              ? undefined
              : oldest === null
                ? t.common.none
                : format.duration(oldest)
          }
        />
      </dl>
    </section>
  );
}

function Figure({
  name,
  value,
  tone = 'plain',
}: {
  name: string;
  value: string | undefined;
  tone?: Tone;
}) {
  const { t } = useI18n();
  return (
    <Card className="px-4 py-3.5">
      <dt className="text-sm text-ink-soft">{name}</dt>
      <dd
        className={classes('mt-1 text-2xl font-semibold tracking-tight tabular-nums', TONES[tone])}
      >
        {value ?? (
          <>
            <span className="sr-only">{t.common.loading}</span>
            <span
              aria-hidden="true"
              className="block h-8 w-12 animate-pulse-soft rounded-md bg-sunken"
            />
          </>
        )}
      </dd>
    </Card>
  );
}
