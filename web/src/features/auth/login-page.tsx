import { useMutation } from '@tanstack/react-query';
import { useSearch } from '@tanstack/react-router';
import * as z from 'zod/mini';

import { dataOf } from '@/api/client';
import { useServices } from '@/services/services';
import { useI18n } from '@/shared/i18n';
import { useStore } from '@/shared/store';
import { Field } from '@/shared/ui/field';
import { PageHeading } from '@/shared/ui/page';
import { Notice } from '@/shared/ui/surfaces';
import { email, presentPassword } from '@/shared/validation';

import { AccountForm, Submit, useAccountForm } from './account-form';
import { AuthLayout, OtherPage } from './auth-layout';
import { PasswordField } from './password-field';

const schema = z.object({ email, password: presentPassword });

export default function LoginPage() {
  const { t } = useI18n();
  const { session, publicApi } = useServices();
  const state = useStore(session.state);
  const { next } = useSearch({ from: '/guest/login' });
  const form = useAccountForm(schema, { email: '', password: '' });
  const login = useMutation({
    mutationFn: (body: z.infer<typeof schema>) =>
      dataOf(publicApi.orders.POST('/api/auth/login', { body })),
    onSuccess: (signedIn) => session.signIn(signedIn),
    onError: form.showError,
  });
  return (
    <AuthLayout>
      <PageHeading title={t.auth.signInTitle} intro={t.auth.signInIntro} />
      {state.status === 'signedOut' && state.reason !== null && !login.isError && (
        <div role="status" className="mb-4">
          <Notice tone={state.reason === 'signedOut' ? 'ok' : 'warn'}>
            {t.auth.ended[state.reason]}
          </Notice>
        </div>
      )}
      <AccountForm error={login.error} onSubmit={form.onSubmit(login.mutate)}>
        <Field
          {...form.field('email')}
          label={t.auth.email}
          type="email"
          autoComplete="username"
          inputMode="email"
        />
        <PasswordField {...form.field('password')} autoComplete="current-password" />
        <Submit isBusy={login.isPending} label={t.auth.signIn} busyLabel={t.auth.signingIn} />
      </AccountForm>
      <OtherPage question={t.auth.noAccount} to="/register" next={next}>
        {t.auth.registerTitle}
      </OtherPage>
    </AuthLayout>
  );
}
