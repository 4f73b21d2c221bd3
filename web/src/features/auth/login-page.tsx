import { zodResolver } from '@hookform/resolvers/zod';
import { useMutation } from '@tanstack/react-query';
import { Link, useSearch } from '@tanstack/react-router';
import { useForm } from 'react-hook-form';
import * as z from 'zod/mini';

import { dataOf } from '@/api/client';
import { useServices } from '@/services/services';
import { showFieldErrors } from '@/shared/form-errors';
import { useI18n } from '@/shared/i18n';
import { useStore } from '@/shared/store';
import { Button } from '@/shared/ui/button';
import { Field } from '@/shared/ui/field';
import { FailureNotice, PageHeading } from '@/shared/ui/page';
import { Card, Notice } from '@/shared/ui/surfaces';
import { email, errorText, presentPassword } from '@/shared/validation';

import { AuthLayout } from './auth-layout';
import { PasswordField } from './password-field';

const schema = z.object({ email, password: presentPassword });

export default function LoginPage() {
  const { t } = useI18n();
  const { session, publicApi } = useServices();
  const state = useStore(session.state);
  const { next } = useSearch({ from: '/guest/login' });
  const form = useForm({
    resolver: zodResolver(schema),
    defaultValues: { email: '', password: '' },
  });
  const { errors } = form.formState;
  const login = useMutation({
    mutationFn: (body: z.infer<typeof schema>) =>
      dataOf(publicApi.orders.POST('/api/auth/login', { body })),
    onSuccess: (signedIn) => session.signIn(signedIn),
    onError: (error) => {
      const known = (field: string) => (field === 'email' || field === 'password' ? field : null);
      showFieldErrors(error, known, form.setError);
    },
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
      <Card className="p-6 sm:p-7">
        <form
          noValidate
          className="space-y-5"
          onSubmit={form.handleSubmit((body) => login.mutate(body))}
        >
          {login.isError && <FailureNotice error={login.error} />}
          <Field
            {...form.register('email')}
            label={t.auth.email}
            type="email"
            autoComplete="username"
            inputMode="email"
            error={errorText(t, errors.email?.message)}
          />
          <PasswordField
            {...form.register('password')}
            autoComplete="current-password"
            error={errorText(t, errors.password?.message)}
          />
          <Button type="submit" className="w-full" isBusy={login.isPending}>
            {login.isPending ? t.auth.signingIn : t.auth.signIn}
          </Button>
        </form>
      </Card>
      <p className="mt-5 text-center text-[0.9375rem] text-ink-soft">
        {t.auth.noAccount}{' '}
        <Link
          to="/register"
          search={next === undefined ? {} : { next }}
          className="font-medium text-accent underline underline-offset-4 hover:text-accent-strong"
        >
          {t.auth.registerTitle}
        </Link>
      </p>
    </AuthLayout>
  );
}
