/** Tests and pictures of the real window: one at a time, for each has a cluster of its own on two cores. */
import { defineConfig } from 'vitest/config'

export default defineConfig({
  root: import.meta.dirname,
  test: {
    include: ['tests/**/*.e2e.ts', 'pictures/**/*.pictures.ts'],
    fileParallelism: false,
    testTimeout: 180_000,
    hookTimeout: 90_000,
  },
})
