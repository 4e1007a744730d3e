import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** `npm run build:web` writes web/dist, which the server hands out. */
export default defineConfig({
  root: import.meta.dirname,
  plugins: [react()],
  build: { outDir: 'dist', emptyOutDir: true, target: 'esnext', cssTarget: 'esnext', assetsInlineLimit: 0 },
});
