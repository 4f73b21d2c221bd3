import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
} from '@tanstack/react-router';

import { readNext } from '@/features/auth/navigation';
import { readNotificationsSearch } from '@/features/notifications/search';
import { readOperatorSearch } from '@/features/operator/search';
import { readOrdersSearch } from '@/features/orders/search';
import type { User } from '@/services/session';
import type { Catalogue } from '@/shared/i18n';
import type { IconName } from '@/shared/ui/icons';

import { NotFound, RouteError } from './error-page';
import { Guest, Member } from './gates';

/** A page's entry in the main menu, which has the order of the routes. */
interface MenuEntry {
  readonly icon: IconName;
  readonly label: (t: Catalogue) => string;
  /** The only role that sees the entry; without one everybody does. */
  readonly role?: User['rol'];
}

const rootRoute = createRootRoute({ component: Outlet, notFoundComponent: NotFound });
const homeRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/',
  beforeLoad: () => {
    throw redirect({ to: '/orders', replace: true });
  },
});
const guestRoute = createRoute({ getParentRoute: () => rootRoute, id: 'guest', component: Guest });
const memberRoute = createRoute({
  getParentRoute: () => rootRoute,
  id: 'member',
  component: Member,
});

const loginRoute = createRoute({
  getParentRoute: () => guestRoute,
  path: '/login',
  validateSearch: readNext,
  component: lazyRouteComponent(() => import('@/features/auth/login-page')),
});

const registerRoute = createRoute({
  getParentRoute: () => guestRoute,
  path: '/register',
  validateSearch: readNext,
  component: lazyRouteComponent(() => import('@/features/auth/register-page')),
});

const ordersRoute = createRoute({
  getParentRoute: () => memberRoute,
  path: '/orders',
  staticData: { menu: { icon: 'bag', label: (t) => t.shell.orders } },
  validateSearch: readOrdersSearch,
  component: lazyRouteComponent(() => import('@/features/orders/orders-page')),
});

const newOrderRoute = createRoute({
  getParentRoute: () => memberRoute,
  path: '/orders/new',
  component: lazyRouteComponent(() => import('@/features/orders/new-order-page')),
});

const orderRoute = createRoute({
  getParentRoute: () => memberRoute,
  path: '/orders/$orderId',
  component: lazyRouteComponent(() => import('@/features/orders/order-page')),
});

const notificationsRoute = createRoute({
  getParentRoute: () => memberRoute,
  path: '/notifications',
  staticData: { menu: { icon: 'bell', label: (t) => t.shell.notifications } },
  validateSearch: readNotificationsSearch,
  component: lazyRouteComponent(() => import('@/features/notifications/notifications-page')),
});

const passwordRoute = createRoute({
  getParentRoute: () => memberRoute,
  path: '/account/password',
  component: lazyRouteComponent(() => import('@/features/auth/password-page')),
});

const operatorRoute = createRoute({
  getParentRoute: () => memberRoute,
  path: '/operator',
  staticData: { menu: { icon: 'pulse', label: (t) => t.shell.operator, role: 'operator' } },
  validateSearch: readOperatorSearch,
  component: lazyRouteComponent(() => import('@/features/operator/operator-page')),
});

const deliveryRoute = createRoute({
  getParentRoute: () => memberRoute,
  path: '/operator/deliveries/$deliveryId',
  component: lazyRouteComponent(() => import('@/features/operator/delivery-page')),
});

// The routes are constants because TypeScript cannot infer their types inside the tree.
const routeTree = rootRoute.addChildren([
  homeRoute,
  guestRoute.addChildren([loginRoute, registerRoute]),
  memberRoute.addChildren([
    ordersRoute,
    newOrderRoute,
    orderRoute,
    notificationsRoute,
    passwordRoute,
    operatorRoute,
    deliveryRoute,
  ]),
]);

export function createAppRouter() {
  return createRouter({
    routeTree,
    defaultErrorComponent: RouteError,
    defaultNotFoundComponent: NotFound,
    defaultPreload: 'intent',
    scrollRestoration: true,
  });
}

declare module '@tanstack/react-router' {
  interface StaticDataRouteOption {
    menu?: MenuEntry;
  }
  interface Register {
    router: ReturnType<typeof createAppRouter>;
  }
}
