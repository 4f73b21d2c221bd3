import { useId, type ComponentProps, type ReactNode } from 'react';

import { useI18n } from '@/shared/i18n';

import { classes } from './classes';
import { Icon } from './icons';

interface FieldProps extends ComponentProps<'input'> {
  label: string;
  hint?: string | undefined;
  error?: string | undefined;
  isOptional?: boolean;
  /** Shown inside the input, at its end. */
  end?: ReactNode;
}

/** A labelled input; screen readers read its error and its hint with it. */
export function Field({
  label,
  hint,
  error,
  isOptional = false,
  end,
  className,
  ...input
}: FieldProps) {
  const { t } = useI18n();
  const id = useId();
  const described = [error !== undefined && `${id}-error`, hint !== undefined && `${id}-hint`];
  const describedBy = described.filter((part) => part !== false).join(' ');
  return (
    <div className={className}>
      <label htmlFor={id} className="mb-1.5 flex items-baseline gap-1.5 text-sm font-medium">
        {label}
        {isOptional && <span className="font-normal text-ink-soft">({t.common.optional})</span>}
      </label>
      <div className="relative">
        <input
          {...input}
          id={id}
          aria-invalid={error !== undefined || undefined}
          aria-describedby={describedBy === '' ? undefined : describedBy}
          className={classes(
            'min-h-11 w-full rounded-xl border bg-surface px-3.5 text-base transition-colors',
            'placeholder:text-ink-soft focus-visible:outline-offset-0 sm:text-[0.9375rem]',
            error === undefined
              ? 'border-line-strong/70 hover:border-line-strong'
              : 'border-danger bg-danger-soft/40',
            end !== undefined && 'pr-12',
          )}
        />
        {end !== undefined && (
          <div className="absolute inset-y-0 right-1 grid place-items-center">{end}</div>
        )}
      </div>
      {error !== undefined && (
        <p id={`${id}-error`} className="mt-1.5 flex gap-1.5 text-sm text-danger">
          <Icon name="warning" className="mt-px size-4.5" />
          {error}
        </p>
      )}
      {hint !== undefined && (
        <p id={`${id}-hint`} className="mt-1.5 text-sm text-ink-soft">
          {hint}
        </p>
      )}
    </div>
  );
}
