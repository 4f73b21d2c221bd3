import { classes } from './classes';

/** The classes of links that choose among a few views of one page. */
export const TAB_LIST =
  'flex max-w-full gap-1 overflow-x-auto rounded-xl bg-sunken p-1 [scrollbar-width:none]';

export function tabClasses(isCurrent: boolean): string {
  return classes(
    'flex min-h-9 items-center rounded-lg px-4 text-sm font-medium whitespace-nowrap transition-colors',
    isCurrent ? 'bg-raised text-ink shadow-card' : 'text-ink-soft hover:text-ink',
  );
}
