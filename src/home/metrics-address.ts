// The value of Metrics: an address and port to serve HTTP on, loopback where no address is said. Pure.

import { bracketed, hostPort, oneWord, type ValueType } from './keyword-values.ts';

/** Where metrics are offered; `address` is an IP literal without brackets. */
export interface MetricsAddress {
  readonly address: string;
  readonly port: number;
}

/** `none`, `PORT` or `ADDRESS:PORT`. */
export const metricsAddress: ValueType<MetricsAddress | 'none'> = oneWord(
  'none, PORT or ADDRESS:PORT, ADDRESS being IPv4 or [IPv6]',
  (text) => {
    if (text.toLowerCase() === 'none') return 'none';
    const socket = hostPort(/^\d+$/.test(text) ? `127.0.0.1:${text}` : text, true);
    return socket?.port && socket.host !== '*' ? { address: socket.host, port: socket.port } : undefined;
  },
  (value) => (value === 'none' ? 'none' : `${bracketed(value.address)}:${value.port}`),
);
