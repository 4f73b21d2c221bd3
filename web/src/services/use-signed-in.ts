import { useStore } from '@/shared/store';

import { useServices } from './services';
import type { User } from './session';

/** Returns the user; for components inside the signed-in part of the page. */
export function useUser(): User {
  const state = useStore(useServices().session.state);
  if (state.status !== 'signedIn') throw new Error('nobody is signed in');
  return state.user;
}
