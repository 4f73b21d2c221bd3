import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
} from '@tanstack/react-router';

import { safeNext } from '@/features/auth/navigation';
import { readPages } from '@/shared/paging';

import { NotFound, RouteError } from './error-page';
import { Guest, Member } from './gates';

const rootRoute = createRootRoute({ component: Outlet, notFoundComponent: NotFound });

interface NextSearch {
  next?: string;
}

function readNext(search: Record<string, unknown>): NextSearch {
  const next = safeNext(search.next);
  return next === undefined ? {} : { next };
}

const guestRoute = createRoute({ getParentRoute: () => rootRoute, id: 'guest', component: Guest });

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

const memberRoute = createRoute({
  getParentRoute: () => rootRoute,
  id: 'member',
  component: Member,
});

const homeRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/',
  beforeLoad: () => {
    throw redirect({ to: '/orders', replace: true });
  },
});

export interface OrdersSearch {
  estado?: 'PROCESSED';
  pages?: string[];
}

const ordersRoute = createRoute({
  getParentRoute: () => memberRoute,
  path: '/orders',
  validateSearch: (search: Record<string, unknown>): OrdersSearch => {
    const pages = readPages(search.pages);
    return {
      ...(search.estado === 'PROCESSED' ? { estado: search.estado } : {}),
      ...(pages === undefined ? {} : { pages }),
    };
  },
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

export interface NotificationsSearch {
  unread?: true;
  pages?: string[];
}

const notificationsRoute = createRoute({
  getParentRoute: () => memberRoute,
  path: '/notifications',
  validateSearch: (search: Record<string, unknown>): NotificationsSearch => {
    const pages = readPages(search.pages);
    return {
      ...(search.unread === true ? { unread: true } : {}),
      ...(pages === undefined ? {} : { pages }),
    };
  },
  component: lazyRouteComponent(() => import('@/features/notifications/notifications-page')),
});

const passwordRoute = createRoute({
  getParentRoute: () => memberRoute,
  path: '/account/password',
  component: lazyRouteComponent(() => import('@/features/auth/password-page')),
});

const DELIVERY_STATES = ['READY', 'LEASED', 'DONE', 'DEAD'] as const;
export type DeliveryState = (typeof DELIVERY_STATES)[number];

export interface OperatorSearch {
  state?: DeliveryState;
  pages?: string[];
}

const operatorRoute = createRoute({
  getParentRoute: () => memberRoute,
  path: '/operator',
  validateSearch: (search: Record<string, unknown>): OperatorSearch => {
    const pages = readPages(search.pages);
    const state = DELIVERY_STATES.find((each) => each === search.state);
    return {
      ...(state === undefined ? {} : { state }),
      ...(pages === undefined ? {} : { pages }),
    };
  },
  component: lazyRouteComponent(() => import('@/features/operator/operator-page')),
});

const deliveryRoute = createRoute({
  getParentRoute: () => memberRoute,
  path: '/operator/deliveries/$deliveryId',
  component: lazyRouteComponent(() => import('@/features/operator/delivery-page')),
});

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

export type AppRouter = ReturnType<typeof createAppRouter>;

declare module '@tanstack/react-router' {
  interface Register {
    router: AppRouter;
  }
}
