// The server's numbers over HTTP (keyword Metrics): GET /metrics and nothing else, to anybody who reaches the address.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { formatPrometheus } from '../control/statistics.ts';
import type { MetricsAddress } from '../home/metrics-address.ts';
import { formatHostPort } from '../transport/address.ts';
import { type ControlPace, createControlPace } from './control-pace.ts';
import type { StatisticsTaker } from './statistics.ts';

/** A few scrapers, each with a connection that it keeps. */
const MOST_CONNECTIONS = 16;
const MOST_HEADER_BYTES = 8192;
const REQUEST_MS = 5000;
const KEEP_MS = 65_000;

/** Metrics that are being served. */
export interface Metrics {
  close(): Promise<void>;
}

/** Begins to serve; resolves to why not where it can't. `none` serves nobody. */
export async function openMetrics(
  where: MetricsAddress | 'none',
  statistics: StatisticsTaker,
): Promise<Metrics | string> {
  if (where === 'none') return { close: async () => {} };
  const { address, port } = where;
  const limits = {
    headersTimeout: REQUEST_MS,
    requestTimeout: REQUEST_MS,
    keepAliveTimeout: KEEP_MS,
    connectionsCheckingInterval: REQUEST_MS,
    maxHeaderSize: MOST_HEADER_BYTES,
  };
  const pace = createControlPace();
  const answering = new WeakSet<object>();
  const server = createServer(limits, (request, response) => {
    const { socket } = request;
    if (socket.destroyed) return;
    // No scraper asks again before it is answered, and thousands that came together would have one turn.
    if (answering.has(socket)) {
      socket.destroy();
      return;
    }
    answering.add(socket);
    response.once('finish', () => answering.delete(socket));
    void answer(request, response, statistics, pace);
  });
  server.maxConnections = MOST_CONNECTIONS;
  server.on('clientError', (_error, socket) => {
    if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
    else socket.destroy();
  });
  // Whoever sends a request and then reads nothing, or sends nothing at all, does not keep a connection.
  server.setTimeout(KEEP_MS);
  return new Promise((resolve) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      resolve(`Metrics: ${formatHostPort(address, port)}: ${error.code ?? error.message}`),
    );
    server.listen({ host: address, port, exclusive: true }, () => {
      server.on('error', () => {});
      resolve({ close: () => close(server) });
    });
  });
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  statistics: StatisticsTaker,
  pace: ControlPace,
): Promise<void> {
  await pace.turn();
  if (response.destroyed) return;
  const beganMs = performance.now();
  const [path] = (request.url ?? '').split('?');
  if (path !== '/metrics') end(response, 404, 'GET /metrics\n');
  else if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('Allow', 'GET, HEAD');
    end(response, 405, 'GET /metrics\n');
  } else {
    response.setHeader('Content-Type', 'text/plain; version=0.0.4; charset=utf-8');
    end(response, 200, formatPrometheus(statistics.take()));
  }
  pace.took(performance.now() - beganMs);
}

/** A body that nobody wants is not read: the connection ends with the answer. */
function end(response: ServerResponse, status: number, body: string): void {
  if (response.req.headers['content-length'] ?? response.req.headers['transfer-encoding'])
    response.setHeader('Connection', 'close');
  response.statusCode = status;
  response.end(body);
}

function close(server: ReturnType<typeof createServer>): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
