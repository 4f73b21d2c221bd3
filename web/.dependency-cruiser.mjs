/** The allowed direction of imports: app → features → services → shared → api; no circles. */
export default {
  forbidden: [
    {
      name: 'no-circular',
      comment: 'Two files that need each other are one file, or lack a third; types count too.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'features-below-app',
      severity: 'error',
      from: { path: '^src/(features|services|shared|api)/' },
      to: { path: '^src/app/' },
    },
    {
      name: 'services-below-features',
      severity: 'error',
      from: { path: '^src/(services|shared|api)/' },
      to: { path: '^src/features/' },
    },
    {
      name: 'shared-below-services',
      severity: 'error',
      from: { path: '^src/(shared|api)/' },
      to: { path: '^src/services/' },
    },
    {
      name: 'api-imports-nothing-above',
      severity: 'error',
      from: { path: '^src/api/' },
      to: { path: '^src/', pathNot: '^src/api/' },
    },
    {
      name: 'features-apart',
      comment: 'What two features need is a service or shared.',
      severity: 'error',
      from: { path: '^src/features/([^/]+)/' },
      to: { path: '^src/features/', pathNot: '^src/features/$1/' },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
  },
};
