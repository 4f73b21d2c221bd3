import { zodResolver } from '@hookform/resolvers/zod';
import { Link, useNavigate } from '@tanstack/react-router';
import { useForm } from 'react-hook-form';
import * as z from 'zod/mini';

import { useToasts } from '@/services/toasts';
import { useUser } from '@/services/use-signed-in';
import { showFieldErrors } from '@/shared/form-errors';
import { useI18n } from '@/shared/i18n';
import { Button, buttonClasses } from '@/shared/ui/button';
import { FailureNotice, PageHeading } from '@/shared/ui/page';
import { Card } from '@/shared/ui/surfaces';
import { errorText, newPassword, presentPassword } from '@/shared/validation';

import { isWrongPassword } from './change-password';
import { PasswordField } from './password-field';
import { useChangePassword } from './use-change-password';

const schema = z.object({ current: presentPassword, new: newPassword });

function knownField(field: string): 'current' | 'new' | null {
  return field === 'current' || field === 'new' ? field : null;
}

export default function PasswordPage() {
  const { t } = useI18n();
  const user = useUser();
  const toasts = useToasts();
  const navigate = useNavigate();
  const form = useForm({
    resolver: zodResolver(schema),
    defaultValues: { current: '', new: '' },
  });
  const { errors } = form.formState;
  const change = useChangePassword({
    onChanged: () =>
      toasts.show({ tone: 'ok', title: t.password.changed, body: t.password.changedBody }),
    onDone: () => void navigate({ to: '/orders' }),
    onFailed: (error) => {
      if (isWrongPassword(error)) {
        form.setError('current', { message: t.problems.wrong_password }, { shouldFocus: true });
      } else showFieldErrors(error, knownField, form.setError);
    },
  });
  return (
    <div className="mx-auto max-w-md">
      <PageHeading title={t.password.title} intro={t.password.intro} />
      <Card className="p-6 sm:p-7">
        <form noValidate className="space-y-5" onSubmit={form.handleSubmit(change.send)}>
          {change.error !== null && !isWrongPassword(change.error) && (
            <FailureNotice error={change.error} />
          )}
          {/* Tells password managers whose password it is. */}
          <input hidden readOnly autoComplete="username" value={user.email} />
          <PasswordField
            {...form.register('current')}
            label={t.password.current}
            autoComplete="current-password"
            error={errorText(t, errors.current?.message)}
          />
          <PasswordField
            {...form.register('new')}
            label={t.password.next}
            autoComplete="new-password"
            hint={t.auth.passwordHint}
            error={errorText(t, errors.new?.message)}
          />
          <div className="flex flex-wrap gap-2">
            <Button type="submit" className="grow" isBusy={change.isPending}>
              {change.isPending ? t.password.submitting : t.password.submit}
            </Button>
            <Link to="/orders" className={buttonClasses('secondary')}>
              {t.common.cancel}
            </Link>
          </div>
        </form>
      </Card>
    </div>
  );
}
