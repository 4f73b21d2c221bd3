import { zodResolver } from '@hookform/resolvers/zod';
import { useMutation } from '@tanstack/react-query';
import { Link, useSearch } from '@tanstack/react-router';
import { useForm } from 'react-hook-form';
import * as z from 'zod/mini';

import { dataOf } from '@/api/client';
import { Failure } from '@/api/failure';
import { useServices } from '@/services/services';
import { showFieldErrors } from '@/shared/form-errors';
import { useI18n } from '@/shared/i18n';
import { Button } from '@/shared/ui/button';
import { Field } from '@/shared/ui/field';
import { FailureNotice, PageHeading } from '@/shared/ui/page';
import { Card } from '@/shared/ui/surfaces';
import { email, errorText, newPassword, requiredLine } from '@/shared/validation';

import { AuthLayout } from './auth-layout';
import { PasswordField } from './password-field';

const schema = z.object({ nombre: requiredLine, email, password: newPassword });

function knownField(field: string): 'nombre' | 'email' | 'password' | null {
  return field === 'nombre' || field === 'email' || field === 'password' ? field : null;
}

export default function RegisterPage() {
  const { t } = useI18n();
  const { session, publicApi } = useServices();
  const { next } = useSearch({ from: '/guest/register' });
  const form = useForm({
    resolver: zodResolver(schema),
    defaultValues: { nombre: '', email: '', password: '' },
  });
  const { errors } = form.formState;
  const register = useMutation({
    mutationFn: (body: z.infer<typeof schema>) =>
      dataOf(publicApi.orders.POST('/api/auth/register', { body })),
    onSuccess: (signedIn) => session.signIn(signedIn),
    onError: (error) => {
      if (error instanceof Failure && error.code === 'email_taken') {
        form.setError('email', { message: t.problems.email_taken }, { shouldFocus: true });
      } else showFieldErrors(error, knownField, form.setError);
    },
  });
  const isAtField = register.error instanceof Failure && register.error.code === 'email_taken';
  return (
    <AuthLayout>
      <PageHeading title={t.auth.registerTitle} intro={t.auth.registerIntro} />
      <Card className="p-6 sm:p-7">
        <form
          noValidate
          className="space-y-5"
          onSubmit={form.handleSubmit((body) => register.mutate(body))}
        >
          {register.isError && !isAtField && <FailureNotice error={register.error} />}
          <Field
            {...form.register('nombre')}
            label={t.auth.name}
            autoComplete="name"
            error={errorText(t, errors.nombre?.message)}
          />
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
            autoComplete="new-password"
            hint={t.auth.passwordHint}
            error={errorText(t, errors.password?.message)}
          />
          <Button type="submit" className="w-full" isBusy={register.isPending}>
            {register.isPending ? t.auth.registering : t.auth.register}
          </Button>
        </form>
      </Card>
      <p className="mt-5 text-center text-[0.9375rem] text-ink-soft">
        {t.auth.hasAccount}{' '}
        <Link
          to="/login"
          search={next === undefined ? {} : { next }}
          className="font-medium text-accent underline underline-offset-4 hover:text-accent-strong"
        >
          {t.auth.signInTitle}
        </Link>
      </p>
    </AuthLayout>
  );
}
