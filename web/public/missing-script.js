// Loaded before the page's other scripts. When one of them is missing, the page is reloaded once;
// if it is still missing, the error page is shown.
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
