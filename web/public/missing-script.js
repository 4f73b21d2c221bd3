// Loaded before the page's own scripts, which it must outlive: when one of them is missing, the page
// is loaded anew, once; then the error page says so.
addEventListener(
  'error',
  ({ target }) => {
    if (!(target instanceof HTMLScriptElement)) return;
    const [navigation] = performance.getEntriesByType('navigation');
    if (navigation?.type === 'reload') location.replace('/error.html');
    else location.reload();
  },
  true, // such an event does not bubble
);
