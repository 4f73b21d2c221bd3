import { useStore } from '@/shared/store';

import { useServices } from './services';
import type { User } from './session';

/** Returns the user. Only for components that are shown to people who are signed in. */
export function useUser(): User {
  const state = useStore(useServices().session.state);
  if (state.status !== 'signedIn') throw new Error('nobody is signed in');
  return state.user;
}
