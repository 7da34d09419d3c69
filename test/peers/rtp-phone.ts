// The media side of a phone: one UDP socket that sends and receives RTP (RFC 3550 §5.1), and its SDP.

import { randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

const payloadBytes = 160;

/** Where SDP says that the audio is taken. */
export function mediaOf(sdp: string): { readonly address: string; readonly port: number } {
  const address = /^c=IN IP[46] (\S+)/m.exec(sdp)?.[1] ?? '';
  return { address, port: Number(/^m=audio (\d+) /m.exec(sdp)?.[1]) };
}

/** A phone. Its SDP names an address that nobody can reach, as behind NAT, unless it is given another. */
export class RtpPhone {
  readonly port: number;
  readonly #socket: Socket;
  readonly #received: string[] = [];
  #sequence = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.port = socket.address().port;
    socket.on('message', (packet) => {
      this.#received.push(packet.subarray(12).toString('hex'));
      socket.emit('received');
    });
  }

  static async open(address = '127.0.0.1'): Promise<RtpPhone> {
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4').bind(0, address);
    await once(socket, 'listening');
    return new RtpPhone(socket);
  }

  sdp(address = '192.0.2.99', attributes = ''): string {
    const family = address.includes(':') ? 'IP6' : 'IP4';
    return (
      `v=0\r\no=- 1 1 IN ${family} ${address}\r\ns=-\r\nc=IN ${family} ${address}\r\nt=0 0\r\n` +
      `m=audio ${this.port} RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n${attributes}`
    );
  }

  /** Sends a packet of audio to where the SDP says; answers its payload. */
  async send(sdp: string): Promise<string> {
    const { address, port } = mediaOf(sdp);
    const header = Buffer.from('8000000000000000c0ffee00', 'hex');
    header.writeUInt16BE(this.#sequence, 2);
    header.writeUInt32BE(this.#sequence * payloadBytes, 4);
    this.#sequence += 1;
    const payload = randomBytes(payloadBytes);
    const packet = Buffer.concat([header, payload]);
    await new Promise((resolve) => this.#socket.send(packet, port, address, resolve));
    return payload.toString('hex');
  }

  /** Waits until that payload has come. */
  async receives(payload: string): Promise<void> {
    while (!this.#received.includes(payload)) await once(this.#socket, 'received');
  }

  has(payload: string): boolean {
    return this.#received.includes(payload);
  }

  close(): void {
    this.#socket.close();
  }
}

/** Whether nobody listens any more where the SDP says, or ceases to within half a second. */
export async function isClosed(sdp: string): Promise<boolean> {
  const { address, port } = mediaOf(sdp);
  const probe = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  probe.connect(port, address);
  await once(probe, 'connect');
  // rtpengine answers a delete before it closes its sockets, so one packet may still find them open.
  const asking = setInterval(() => probe.send(Buffer.alloc(12, 0x80), () => {}), 10);
  try {
    await once(probe, 'error', { signal: AbortSignal.timeout(500) });
    return true;
  } catch {
    return false;
  } finally {
    clearInterval(asking);
    probe.close();
  }
}
