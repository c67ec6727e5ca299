import js from '@eslint/js'
import svelte from 'eslint-plugin-svelte'
import globals from 'globals'
import ts from 'typescript-eslint'

import svelteConfig from './svelte.config.js'

/** Imports forbidden to a tier: `shared` < `domain` < `views`; each knows only what is left of it. */
const forbid = (...patterns) => ['error', { patterns }]
const tauri = {
  group: ['@tauri-apps/*'],
  message: 'Only src/shared/host/tauri.ts knows Tauri.',
}
const domain = { group: ['$domain', '$domain/*', '**/domain/*'], message: 'shared/ knows nothing of the domain.' }
const views = { group: ['$views', '$views/*', '**/views/*'], message: 'Only views/ knows screens.' }
const dev = { group: ['**/dev/*'], message: 'dev/ is not part of the product.' }

export default ts.config(
  { ignores: ['dist/', 'node_modules/', 'src/shared/api/lab.ts'] },
  js.configs.recommended,
  ts.configs.strict,
  svelte.configs.recommended,
  {
    languageOptions: { globals: { ...globals.browser } },
    rules: {
      'no-undef': 'off',
      eqeqeq: 'error',
      'no-console': 'error',
    },
  },
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: {
      parserOptions: { parser: ts.parser, extraFileExtensions: ['.svelte'], svelteConfig },
    },
    rules: {
      // Svelte's compiler warns of the same, and knows its own ignore comments best.
      'svelte/no-unused-svelte-ignore': 'off',
    },
  },
  { files: ['e2e/**'], rules: { 'no-console': 'off' } },
  { files: ['src/**'], rules: { 'no-restricted-imports': forbid(tauri, dev) } },
  { files: ['src/shared/**'], rules: { 'no-restricted-imports': forbid(tauri, dev, domain, views) } },
  { files: ['src/domain/**'], rules: { 'no-restricted-imports': forbid(tauri, dev, views) } },
  { files: ['src/shared/host/tauri.ts'], rules: { 'no-restricted-imports': forbid(dev, domain, views) } },
)
