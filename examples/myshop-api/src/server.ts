import { createServer } from 'node:http';
import { createApp } from './app.ts';
import { readVersion } from './version.ts';

const port = Number(process.env['PORT'] ?? 8080);
const host = process.env['HOST'] ?? '0.0.0.0';
const version = readVersion();

const server = createServer(
  createApp({
    version,
    environment: process.env['SHOP_ENV'] ?? 'local',
    pod: process.env['POD_NAME'] ?? 'none',
  }),
);

server.listen(port, host, () => console.log(`myshop-api ${version} listens on ${host}:${port}`));

process.on('SIGTERM', () => {
  console.log('SIGTERM: no new connections, finishing the open ones');
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});
