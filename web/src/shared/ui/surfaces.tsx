import type { ReactNode } from 'react';

import { useI18n } from '@/shared/i18n';

import { classes } from './classes';
import { Icon, type IconName } from './icons';

export function Card({ children, className }: { children: ReactNode; className?: string }) {
  return (
    <div className={classes('rounded-2xl border border-line bg-surface shadow-card', className)}>
      {children}
    </div>
  );
}

type Tone = 'neutral' | 'ok' | 'warn' | 'danger' | 'accent';

const TONES: Record<Tone, string> = {
  neutral: 'bg-sunken text-ink-soft',
  ok: 'bg-ok-soft text-ok',
  warn: 'bg-warn-soft text-warn',
  danger: 'bg-danger-soft text-danger',
  accent: 'bg-accent-soft text-accent',
};

export function Badge({ tone = 'neutral', children }: { tone?: Tone; children: ReactNode }) {
  return (
    <span
      className={classes(
        'inline-flex items-center gap-1.5 rounded-full px-2.5 py-0.5 text-[0.8125rem] font-medium',
        'whitespace-nowrap',
        TONES[tone],
      )}
    >
      {children}
    </span>
  );
}

interface NoticeProps {
  tone: 'ok' | 'warn' | 'danger' | 'neutral';
  title?: string;
  children?: ReactNode;
  actions?: ReactNode;
  /** Screen readers announce it at once: a failure, or news that cannot wait. */
  isUrgent?: boolean;
}

/** A highlighted text on a page: a failure, a warning, a success. */
export function Notice({ tone, title, children, actions, isUrgent = false }: NoticeProps) {
  return (
    <div
      role={isUrgent ? 'alert' : undefined}
      className={classes(
        'flex animate-rise gap-3 rounded-2xl px-4 py-3.5 text-[0.9375rem]',
        TONES[tone],
      )}
    >
      <Icon name={tone === 'ok' ? 'check' : 'warning'} className="mt-0.5 size-5" />
      <div className="min-w-0 grow">
        {title !== undefined && <p className="font-semibold">{title}</p>}
        {children}
        {actions !== undefined && <div className="mt-3 flex flex-wrap gap-2">{actions}</div>}
      </div>
    </div>
  );
}

interface EmptyProps {
  icon: IconName;
  title: string;
  children: ReactNode;
  action?: ReactNode;
}

/** Takes the place of an empty list, and says what to do about it. */
export function Empty({ icon, title, children, action }: EmptyProps) {
  return (
    <div className="flex flex-col items-center px-6 py-16 text-center">
      <div className="mb-5 grid size-14 place-items-center rounded-2xl bg-sunken text-ink-soft">
        <Icon name={icon} className="size-7" />
      </div>
      <p className="text-lg font-semibold tracking-tight">{title}</p>
      <p className="mt-1.5 max-w-sm text-pretty text-ink-soft">{children}</p>
      {action !== undefined && <div className="mt-6">{action}</div>}
    </div>
  );
}

/** Grey shapes in place of rows that are being loaded. */
export function SkeletonRows({ rows = 5 }: { rows?: number }) {
  const { t } = useI18n();
  return (
    <div role="status">
      <span className="sr-only">{t.common.loading}</span>
      <div aria-hidden="true" className="animate-pulse-soft divide-y divide-line">
        {Array.from({ length: rows }, (_, row) => (
          <div key={row} className="flex items-center gap-4 px-5 py-5">
            <div className="grow space-y-2.5">
              <div className="h-4 w-2/5 rounded-md bg-sunken" />
              <div className="h-3.5 w-3/5 rounded-md bg-sunken" />
            </div>
            <div className="h-5 w-20 rounded-md bg-sunken" />
          </div>
        ))}
      </div>
    </div>
  );
}
