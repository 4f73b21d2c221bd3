import { Link, useNavigate } from '@tanstack/react-router';
import * as z from 'zod/mini';

import { useToasts } from '@/services/toasts';
import { useUser } from '@/services/use-signed-in';
import { useI18n } from '@/shared/i18n';
import { buttonClasses } from '@/shared/ui/button';
import { PageHeading } from '@/shared/ui/page';
import { newPassword, presentPassword } from '@/shared/validation';

import { AccountForm, Submit, useAccountForm } from './account-form';
import { PasswordField } from './password-field';
import { useChangePassword } from './use-change-password';

const schema = z.object({ current: presentPassword, new: newPassword });

export default function PasswordPage() {
  const { t } = useI18n();
  const user = useUser();
  const toasts = useToasts();
  const navigate = useNavigate();
  const form = useAccountForm(schema, { current: '', new: '' }, { wrong_password: 'current' });
  const change = useChangePassword({
    onChanged: () =>
      toasts.show({ tone: 'ok', title: t.password.changed, body: t.password.changedBody }),
    onDone: () => void navigate({ to: '/orders' }),
    onFailed: form.showError,
  });
  return (
    <div className="mx-auto max-w-md">
      <PageHeading title={t.password.title} intro={t.password.intro} />
      <AccountForm error={form.generalError(change.error)} onSubmit={form.onSubmit(change.send)}>
        {/* Password managers read the account from it. */}
        <input hidden readOnly autoComplete="username" value={user.email} />
        <PasswordField
          {...form.field('current')}
          label={t.password.current}
          autoComplete="current-password"
        />
        <PasswordField
          {...form.field('new')}
          label={t.password.next}
          autoComplete="new-password"
          hint={t.auth.passwordHint}
        />
        <div className="flex flex-wrap gap-2">
          <Submit
            className="grow"
            isBusy={change.isPending}
            label={t.password.submit}
            busyLabel={t.password.submitting}
          />
          <Link to="/orders" className={buttonClasses('secondary')}>
            {t.common.cancel}
          </Link>
        </div>
      </AccountForm>
    </div>
  );
}
