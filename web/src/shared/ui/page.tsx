import { useEffect, useRef, type ReactNode } from 'react';

import { Failure } from '@/api/failure';
import { messageOf, useI18n } from '@/shared/i18n';

import { Button } from './button';
import { Icon } from './icons';
import { Notice } from './surfaces';

/** The last title that took the focus; the first page of a visit leaves it where it is. */
let focusedTitle: string | null = null;

interface HeadingProps {
  title: string;
  intro?: ReactNode;
  actions?: ReactNode;
  above?: ReactNode;
}

/** A page's h1: names the document and takes the focus after a navigation. */
export function PageHeading({ title, intro, actions, above }: HeadingProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · SwapShop`;
  }, [title]);
  useEffect(() => {
    if (focusedTitle !== null) heading.current?.focus({ preventScroll: true });
    focusedTitle = heading.current?.textContent ?? '';
  }, []);
  return (
    <div className="mb-6 sm:mb-8">
      {above}
      <div className="flex flex-wrap items-end justify-between gap-x-6 gap-y-4">
        <div className="min-w-0">
          <h1
            ref={heading}
            tabIndex={-1}
            className="text-[1.625rem] leading-tight font-semibold tracking-tight text-balance wrap-break-word sm:text-3xl"
          >
            {title}
          </h1>
          {intro !== undefined && <div className="mt-1.5 text-pretty text-ink-soft">{intro}</div>}
        </div>
        {actions !== undefined && (
          <div className="flex w-full flex-wrap items-center gap-2 sm:w-auto">{actions}</div>
        )}
      </div>
    </div>
  );
}

interface FailureNoticeProps {
  error: unknown;
  title?: string;
  onRetry?: () => void;
}

/** A failure in the page's language, with the reference to report and a way to retry. */
export function FailureNotice({ error, title, onRetry }: FailureNoticeProps) {
  const { t } = useI18n();
  const failure = error instanceof Failure ? error : new Failure('unexpected');
  return (
    <Notice
      isUrgent
      tone="danger"
      {...(title === undefined ? {} : { title })}
      {...(onRetry === undefined
        ? {}
        : {
            actions: (
              <Button kind="secondary" size="small" onClick={onRetry}>
                <Icon name="refresh" className="size-4.5" />
                {t.common.retry}
              </Button>
            ),
          })}
    >
      <p>{messageOf(t, failure)}</p>
      {failure.requestId !== null && (
        <p className="mt-1 font-mono text-xs break-all">{t.common.reference(failure.requestId)}</p>
      )}
    </Notice>
  );
}
