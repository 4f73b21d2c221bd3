import js from '@eslint/js';
import reactHooks from 'eslint-plugin-react-hooks';
import tseslint from 'typescript-eslint';

export default tseslint.config(
  { ignores: ['dist', 'src/api/__generated__', 'playwright-report', 'test-results'] },
  js.configs.recommended,
  {
    files: ['**/*.{ts,tsx}'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    plugins: { 'react-hooks': reactHooks },
    rules: {
      ...reactHooks.configs.recommended.rules,
      'max-lines': ['error', 400],
      '@typescript-eslint/consistent-type-imports': 'error',
      // Numbers in templates are fine.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // An arrow function that calls one void function is easy to read.
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      // { left, out, ...rest } is the way to omit properties.
      '@typescript-eslint/no-unused-vars': ['error', { ignoreRestSiblings: true }],
      // React ignores what event handlers return, promises included.
      '@typescript-eslint/no-misused-promises': [
        'error',
        { checksVoidReturn: { attributes: false } },
      ],
      // TanStack Router's redirect() and notFound() are thrown.
      '@typescript-eslint/only-throw-error': 'off',
    },
  },
  // Playwright's fixtures call a use() that is not React's.
  { files: ['e2e/**'], rules: { 'react-hooks/rules-of-hooks': 'off' } },
  {
    files: ['public/**'],
    languageOptions: {
      sourceType: 'script',
      globals: {
        addEventListener: 'readonly',
        HTMLScriptElement: 'readonly',
        location: 'readonly',
        performance: 'readonly',
      },
    },
  },
  {
    files: ['scripts/**', '*.js'],
    languageOptions: { globals: { console: 'readonly', process: 'readonly', URL: 'readonly' } },
  },
);
