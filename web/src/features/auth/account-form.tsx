import { zodResolver } from '@hookform/resolvers/zod';
import type { ReactNode } from 'react';
import { useForm, type DefaultValues, type Path } from 'react-hook-form';
import type * as z from 'zod/mini';

import { Failure } from '@/api/failure';
import type { FailureCode } from '@/api/problem-codes';
import { showFieldErrors } from '@/shared/form-errors';
import { messageOf, useI18n } from '@/shared/i18n';
import { Button } from '@/shared/ui/button';
import { FailureNotice } from '@/shared/ui/page';
import { Card } from '@/shared/ui/surfaces';
import { errorText } from '@/shared/validation';

type Texts = Record<string, string>;

/**
 * The state of a form for an account: text fields, checked by a schema before they are sent.
 *
 * @param fieldOf names the field that a problem code is about, where the server names none.
 */
export function useAccountForm<Values extends Texts>(
  schema: z.ZodMiniType<Values, Values>,
  defaultValues: Values,
  fieldOf: Partial<Record<FailureCode, Path<Values>>> = {},
) {
  const { t } = useI18n();
  const form = useForm<Values, unknown, Values>({
    resolver: zodResolver(schema),
    defaultValues: defaultValues as DefaultValues<Values>,
  });
  const fieldOfError = (error: Error | null) =>
    error instanceof Failure ? fieldOf[error.code] : undefined;
  return {
    /** Returns the props of a field, its error included. */
    field: (name: Path<Values>) => ({
      ...form.register(name),
      error: errorText(t, form.getFieldState(name, form.formState).error?.message),
    }),
    onSubmit: (send: (values: Values) => void) => form.handleSubmit(send),
    /** Shows what the server refused at the fields it is about. */
    showError: (error: Error) => {
      const field = fieldOfError(error);
      if (field !== undefined && error instanceof Failure) {
        form.setError(field, { message: messageOf(t, error) }, { shouldFocus: true });
      } else {
        const toPath = (name: string) => (name in defaultValues ? (name as Path<Values>) : null);
        showFieldErrors(error, toPath, form.setError);
      }
    },
    /** Returns the error unless one field shows all of it. */
    generalError: (error: Error | null) => (fieldOfError(error) === undefined ? error : null),
  };
}

interface AccountFormProps {
  /** Shown above the fields. */
  error: Error | null;
  onSubmit: React.SubmitEventHandler<HTMLFormElement>;
  children: ReactNode;
}

/** The frame of a form for an account. */
export function AccountForm({ error, onSubmit, children }: AccountFormProps) {
  return (
    <Card className="p-6 sm:p-7">
      <form noValidate className="space-y-5" onSubmit={onSubmit}>
        {error !== null && <FailureNotice error={error} />}
        {children}
      </form>
    </Card>
  );
}

interface SubmitProps {
  isBusy: boolean;
  label: string;
  busyLabel: string;
  className?: string;
}

export function Submit({ isBusy, label, busyLabel, className = 'w-full' }: SubmitProps) {
  return (
    <Button type="submit" className={className} isBusy={isBusy}>
      {isBusy ? busyLabel : label}
    </Button>
  );
}
