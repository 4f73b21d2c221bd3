import type { FieldPath, FieldValues, UseFormSetError } from 'react-hook-form';

import { Failure } from '@/api/failure';

/**
 * Shows the server's field errors at their fields and focuses the first one.
 *
 * @param toPath returns the form's field for a path of the server, null when the form has none.
 * @returns whether every error found its field.
 */
export function showFieldErrors<Values extends FieldValues>(
  error: unknown,
  toPath: (field: string) => FieldPath<Values> | null,
  setError: UseFormSetError<Values>,
): boolean {
  if (!(error instanceof Failure) || error.fields.length === 0) return false;
  let areAllShown = true;
  let isFirst = true;
  for (const { field, message } of error.fields) {
    const path = toPath(field);
    if (path === null) areAllShown = false;
    else {
      setError(path, { type: 'server', message }, { shouldFocus: isFirst });
      isFirst = false;
    }
  }
  return areAllShown;
}
