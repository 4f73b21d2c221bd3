import type { ComponentProps } from 'react';

import { classes } from './classes';

type Kind = 'primary' | 'secondary' | 'quiet' | 'danger';
type Size = 'normal' | 'small' | 'icon';

const KINDS: Record<Kind, string> = {
  primary: 'bg-accent text-on-accent hover:bg-accent-strong',
  secondary: 'border border-line-strong/60 bg-surface text-ink hover:bg-sunken',
  quiet: 'text-ink-soft hover:bg-sunken hover:text-ink',
  danger: 'bg-danger text-surface hover:opacity-90',
};

const SIZES: Record<Size, string> = {
  normal: 'min-h-11 px-5 text-[0.9375rem]',
  small: 'min-h-9 px-3 text-sm',
  icon: 'size-10',
};

/** Returns the classes of a button; links use them too. */
export function buttonClasses(kind: Kind = 'primary', size: Size = 'normal'): string {
  return classes(
    'inline-flex items-center justify-center gap-2 rounded-xl font-medium whitespace-nowrap',
    'transition-colors duration-150 aria-disabled:cursor-default aria-disabled:opacity-60',
    'disabled:opacity-45',
    KINDS[kind],
    SIZES[size],
  );
}

interface ButtonProps extends ComponentProps<'button'> {
  kind?: Kind;
  size?: Size;
  /** A busy button keeps the focus and does nothing. */
  isBusy?: boolean;
}

export function Button({
  kind,
  size,
  isBusy = false,
  className,
  onClick,
  type = 'button',
  ...rest
}: ButtonProps) {
  return (
    <button
      {...rest}
      type={type}
      aria-disabled={isBusy || undefined}
      className={classes(buttonClasses(kind, size), className)}
      onClick={(event) => {
        if (isBusy) event.preventDefault();
        else onClick?.(event);
      }}
    />
  );
}
