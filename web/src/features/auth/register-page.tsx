import { useMutation } from '@tanstack/react-query';
import { useSearch } from '@tanstack/react-router';
import * as z from 'zod/mini';

import { dataOf } from '@/api/client';
import { useServices } from '@/services/services';
import { useI18n } from '@/shared/i18n';
import { Field } from '@/shared/ui/field';
import { PageHeading } from '@/shared/ui/page';
import { email, newPassword, requiredLine } from '@/shared/validation';

import { AccountForm, Submit, useAccountForm } from './account-form';
import { AuthLayout, OtherPage } from './auth-layout';
import { PasswordField } from './password-field';

const schema = z.object({ nombre: requiredLine, email, password: newPassword });

export default function RegisterPage() {
  const { t } = useI18n();
  const { session, publicApi } = useServices();
  const { next } = useSearch({ from: '/guest/register' });
  const form = useAccountForm(
    schema,
    { nombre: '', email: '', password: '' },
    { email_taken: 'email' },
  );
  const register = useMutation({
    mutationFn: (body: z.infer<typeof schema>) =>
      dataOf(publicApi.orders.POST('/api/auth/register', { body })),
    onSuccess: (signedIn) => session.signIn(signedIn),
    onError: form.showError,
  });
  return (
    <AuthLayout>
      <PageHeading title={t.auth.registerTitle} intro={t.auth.registerIntro} />
      <AccountForm
        error={form.generalError(register.error)}
        onSubmit={form.onSubmit(register.mutate)}
      >
        <Field {...form.field('nombre')} label={t.auth.name} autoComplete="name" />
        <Field
          {...form.field('email')}
          label={t.auth.email}
          type="email"
          autoComplete="username"
          inputMode="email"
        />
        <PasswordField
          {...form.field('password')}
          autoComplete="new-password"
          hint={t.auth.passwordHint}
        />
        <Submit
          isBusy={register.isPending}
          label={t.auth.register}
          busyLabel={t.auth.registering}
        />
      </AccountForm>
      <OtherPage question={t.auth.hasAccount} to="/login" next={next}>
        {t.auth.signInTitle}
      </OtherPage>
    </AuthLayout>
  );
}
