import { Toast } from 'radix-ui';
import type { ReactNode } from 'react';

import { useI18n } from '@/shared/i18n';
import { Store, useStore } from '@/shared/store';

import { classes } from './classes';
import { Icon } from './icons';

export interface ToastMessage {
  readonly id: string;
  readonly tone: 'ok' | 'danger';
  readonly title: ReactNode;
  readonly body?: ReactNode;
  readonly action?: ReactNode;
}

const MAX_SHOWN = 3;
const DURATION = 8000;

/** Messages that appear for a moment at the edge of the page. */
export class Toasts {
  readonly shown = new Store<readonly ToastMessage[]>([]);
  #next = 0;

  show(message: Omit<ToastMessage, 'id'>): void {
    this.#next += 1;
    const added = { ...message, id: String(this.#next) };
    this.shown.set([...this.shown.get(), added].slice(-MAX_SHOWN));
  }

  close(id: string): void {
    this.shown.set(this.shown.get().filter((message) => message.id !== id));
  }

  clear(): void {
    this.shown.set([]);
  }
}

export function ToastRegion({ toasts }: { toasts: Toasts }) {
  const { t } = useI18n();
  const messages = useStore(toasts.shown);
  return (
    <Toast.Provider duration={DURATION} label={t.shell.toasts}>
      {messages.map(({ id, tone, title, body, action }) => (
        <Toast.Root
          key={id}
          onOpenChange={(isOpen) => {
            if (!isOpen) toasts.close(id);
          }}
          className="flex animate-rise items-start gap-3 rounded-2xl border border-line bg-surface p-4 shadow-float"
        >
          <span
            className={classes(
              'grid size-9 shrink-0 place-items-center rounded-xl',
              tone === 'ok' ? 'bg-ok-soft text-ok' : 'bg-danger-soft text-danger',
            )}
          >
            <Icon name={tone === 'ok' ? 'check' : 'warning'} />
          </span>
          <div className="min-w-0 grow pt-0.5">
            <Toast.Title className="text-[0.9375rem] font-semibold">{title}</Toast.Title>
            {body !== undefined && (
              <Toast.Description className="text-sm wrap-break-word text-ink-soft">
                {body}
              </Toast.Description>
            )}
            {action !== undefined && <div className="mt-2">{action}</div>}
          </div>
          <Toast.Close
            aria-label={t.common.close}
            className="grid size-8 shrink-0 place-items-center rounded-lg text-ink-soft hover:bg-sunken hover:text-ink"
          >
            <Icon name="cross" className="size-4.5" />
          </Toast.Close>
        </Toast.Root>
      ))}
      <Toast.Viewport
        label={`${t.shell.toasts} ({hotkey})`}
        className="fixed right-4 bottom-20 left-4 z-50 flex flex-col gap-3 sm:bottom-4 sm:left-auto sm:w-96"
      />
    </Toast.Provider>
  );
}
