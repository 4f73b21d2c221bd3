import { useI18n, type Catalogue } from '@/shared/i18n';
import { classes } from '@/shared/ui/classes';
import { Icon, type IconName } from '@/shared/ui/icons';

import type { TimelineEvent } from './queries';

const ICONS: Record<TimelineEvent['event'], IconName> = {
  created: 'bag',
  processed: 'check',
  attempt: 'arrows',
  notified: 'bell',
};

function outcomeOf(t: Catalogue, event: TimelineEvent): string {
  const outcomes: Readonly<Record<string, string | undefined>> = t.orders.outcomes;
  return outcomes[event.outcome ?? 'unknown'] ?? event.outcome ?? '';
}

function waitsFor(t: Catalogue, events: readonly TimelineEvent[]): string | null {
  const has = (name: TimelineEvent['event']) => events.some(({ event }) => event === name);
  if (has('notified')) return null;
  return has('processed') ? t.orders.waitingNotice : t.orders.waiting;
}

/** The history of an order, and what comes next. */
export function Timeline({ events }: { events: readonly TimelineEvent[] }) {
  const { t, format } = useI18n();
  const next = waitsFor(t, events);
  return (
    <ol className="px-5 py-5">
      {events.map((event, position) => {
        const isFailure =
          event.event === 'attempt' &&
          event.outcome !== 'delivered' &&
          (event.outcome ?? '') !== '';
        const isLast = next === null && position === events.length - 1;
        return (
          <li key={position} className={classes('relative flex gap-3.5', !isLast && 'pb-5')}>
            {!isLast && (
              <span aria-hidden="true" className="absolute top-8 bottom-0 left-4 w-px bg-line" />
            )}
            <span
              className={classes(
                'relative grid size-8 shrink-0 place-items-center rounded-full',
                isFailure ? 'bg-warn-soft text-warn' : 'bg-accent-soft text-accent',
              )}
            >
              <Icon name={ICONS[event.event]} className="size-4.5" />
            </span>
            <div className="min-w-0 pt-0.5">
              <p className="text-[0.9375rem] font-medium">
                {t.orders.events[event.event]}
                {event.event === 'attempt' && (
                  <span className="font-normal text-ink-soft"> · {outcomeOf(t, event)}</span>
                )}
              </p>
              <p className="text-sm text-ink-soft tabular-nums">
                <time dateTime={event.at}>{format.time(event.at)}</time>
                {typeof event.status === 'number' && ` · ${t.orders.httpStatus(event.status)}`}
              </p>
              {typeof event.error === 'string' && (
                <p className="mt-1 font-mono text-xs break-all text-warn">{event.error}</p>
              )}
            </div>
          </li>
        );
      })}
      {next !== null && (
        <li className="flex items-center gap-3.5">
          <span className="grid size-8 shrink-0 place-items-center">
            <span className="size-2.5 animate-pulse-soft rounded-full bg-line-strong" />
          </span>
          <p className="text-[0.9375rem] text-ink-soft">{next}</p>
        </li>
      )}
    </ol>
  );
}
