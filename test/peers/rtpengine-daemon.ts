// Debian's rtpengine without its kernel module, on loopback alone, with ports of its own.

import { Background } from '../host/background.ts';
import { freePort } from '../host/free-port.ts';

const relayPorts = 200;

/** Where one is started, and started again. */
export interface RtpengineAddress {
  readonly ngPort: number;
  readonly portMin: number;
}

/** Ports for one; those of the relay that others have are passed over by it. */
export async function rtpengineAddress(): Promise<RtpengineAddress> {
  const [ngPort, near] = [await freePort(), await freePort()];
  return { ngPort, portMin: Math.min(near - (near % 2), 65_534 - relayPorts) };
}

/** Starts it and waits until it answers. */
export async function startRtpengine({ ngPort, portMin }: RtpengineAddress): Promise<Background> {
  const daemon = new Background([
    ...['rtpengine', '--config-file=none', '--foreground', '--log-stderr', '--log-level=6', '--table=-1'],
    ...['--interface=127.0.0.1', '--interface=::1', `--listen-ng=127.0.0.1:${ngPort}`],
    ...[`--port-min=${portMin}`, `--port-max=${portMin + relayPorts}`],
  ]);
  await daemon.match(/Startup complete/);
  return daemon;
}
