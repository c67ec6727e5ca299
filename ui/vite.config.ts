import { fileURLToPath } from 'node:url'

import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vitest/config'

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url))

export default defineConfig({
  plugins: [svelte()],
  // Tauri serves the files from its own scheme; relative addresses work there and everywhere else.
  base: './',
  resolve: {
    alias: { $shared: at('./src/shared'), $domain: at('./src/domain'), $views: at('./src/views') },
    // Under vitest, Svelte's browser build, so that components can be mounted.
    ...(process.env.VITEST ? { conditions: ['browser'] } : {}),
  },
  build: {
    outDir: 'dist',
    // WebKitGTK 2.38 and newer, WKWebView of macOS 13.
    target: ['es2022', 'safari16'],
    sourcemap: false,
  },
  server: {
    port: 5173,
    strictPort: true,
    host: '127.0.0.1',
    // dev/ shows screens with the lab's real dashboards and diagrams, which lie beside this folder.
    fs: { allow: ['..'] },
  },
  test: {
    environment: 'happy-dom',
    include: ['src/**/*.test.ts', 'grafana/**/*.test.ts'],
    // The tokens' contrasts are computed from the style sheet itself.
    css: true,
  },
})
