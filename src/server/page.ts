import { readFile } from 'node:fs/promises';
import { extname, join, normalize, sep } from 'node:path';
import { type Context, Hono } from 'hono';
import { AppError } from '#base/errors.ts';
import type { ServerEnv } from './auth.ts';

const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
  '.png': 'image/png',
  '.json': 'application/json',
};

const policy =
  "default-src 'self'; img-src 'self' data:; style-src 'self'; script-src 'self'; connect-src 'self'; " +
  "object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** The page's files. They hold no data, so they need no token; any path without an extension is the page itself. */
export function page(webDir: string): Hono<ServerEnv> {
  const app = new Hono<ServerEnv>();
  app.get('*', async (c) => {
    const path = decodePath(c.req.path);
    const extension = extname(path);
    const file = extension === '' ? 'index.html' : path;
    const full = normalize(join(webDir, file));
    const content = full.startsWith(normalize(webDir + sep)) ? await read(full) : undefined;
    if (content === undefined) return missing(c, extension);
    c.header('content-type', types[extname(full)] ?? 'application/octet-stream');
    c.header('content-security-policy', policy);
    c.header('x-content-type-options', 'nosniff');
    c.header('referrer-policy', 'no-referrer');
    // Vite puts the content's hash into the names below assets/.
    c.header('cache-control', path.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache');
    return c.body(new Uint8Array(content));
  });
  return app;
}

function decodePath(path: string): string {
  try {
    return decodeURIComponent(path).replaceAll('\0', '');
  } catch {
    return '/';
  }
}

async function read(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'EISDIR' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}

function missing(c: Context, extension: string): Response {
  if (extension !== '') throw new AppError('not-found', `${c.req.path} does not exist`);
  return c.text('The page is not built. Run "npm run build:web" and load again. The API works without it.\n', 503);
}
