import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';

import { useI18n } from '@/shared/i18n';
import { Icon } from '@/shared/ui/icons';
import { LanguageSwitch, ThemeSwitch } from '@/shared/ui/preferences';

export function Brand() {
  return (
    <span className="inline-flex items-center gap-2.5 text-lg font-semibold tracking-tight">
      <span className="grid size-9 place-items-center rounded-xl bg-accent text-on-accent">
        <Icon name="arrows" />
      </span>
      SwapShop
    </span>
  );
}

/** The frame of the pages for people who are not signed in. */
export function AuthLayout({ children }: { children: ReactNode }) {
  const { t } = useI18n();
  return (
    <div className="flex min-h-dvh flex-col">
      <header className="mx-auto flex w-full max-w-5xl flex-wrap items-center justify-between gap-3 px-4 py-4 sm:px-6">
        <Brand />
        <div className="flex items-center gap-1">
          <LanguageSwitch />
          <ThemeSwitch />
        </div>
      </header>
      <main className="mx-auto flex w-full max-w-md grow flex-col justify-center px-4 pt-4 pb-16">
        {children}
        <p className="mt-8 text-center text-sm text-ink-soft">{t.common.tagline}</p>
      </main>
    </div>
  );
}

interface OtherPageProps {
  question: string;
  to: '/login' | '/register';
  /** Where to go after signing in. */
  next: string | undefined;
  children: ReactNode;
}

/** The way from signing in to creating an account, and back. */
export function OtherPage({ question, to, next, children }: OtherPageProps) {
  return (
    <p className="mt-5 text-center text-[0.9375rem] text-ink-soft">
      {question}{' '}
      <Link
        to={to}
        search={next === undefined ? {} : { next }}
        className="font-medium text-accent underline underline-offset-4 hover:text-accent-strong"
      >
        {children}
      </Link>
    </p>
  );
}
