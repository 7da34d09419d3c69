// The other end of the ng protocol, for what no rtpengine can be made to do: to be silent, late or wrong.

import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';

/** One datagram: the cookie, the rest, and a way to answer it. */
export interface NgDatagram {
  readonly cookie: string;
  readonly command: string;
  readonly from: RemoteInfo;
  answer(text: string): void;
}

/** A socket on 127.0.0.1 that keeps what comes until it is asked for. */
export class NgServer {
  readonly received: NgDatagram[] = [];
  readonly port: number;
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.port = socket.address().port;
    socket.on('message', (datagram, from) => {
      const [, cookie = '', command = ''] = /^(\S+) (.*)$/s.exec(datagram.toString('latin1')) ?? [];
      const answer = (text: string) => socket.send(`${cookie} ${text}`, from.port, from.address);
      this.received.push({ cookie, command, from, answer });
      socket.emit('received');
    });
  }

  static async open(): Promise<NgServer> {
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return new NgServer(socket);
  }

  /** The datagram of that number, from 0, once it is there. */
  datagram(index: number): Promise<NgDatagram> {
    return this.#await(() => this.received[index]);
  }

  /** The same without repetitions. */
  command(index: number): Promise<NgDatagram> {
    return this.#await(() => {
      const cookies = [...new Set(this.received.map(({ cookie }) => cookie))];
      return this.received.find(({ cookie }) => cookie === cookies[index]);
    });
  }

  async #await(find: () => NgDatagram | undefined): Promise<NgDatagram> {
    for (;;) {
      const found = find();
      if (found !== undefined) return found;
      await once(this.#socket, 'received');
    }
  }

  async close(): Promise<void> {
    this.#socket.close();
    await once(this.#socket, 'close');
  }
}
