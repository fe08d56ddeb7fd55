import { connect, createServer, type Server, type Socket } from 'node:net';

/** Where a connection is cut: at the n-th message of the client, before the server gets it, or when it has answered it. */
export interface Cut {
  readonly at: number;
  readonly when: 'before' | 'answered';
}

/** A wire between countersign and a server on loopback, which can be cut. Messages are counted over all connections. */
export class Wire {
  #cut: Cut | null = null;
  #forGood = false;
  #isDead = false;
  #sockets = new Set<Socket>();
  messages = 0;

  private constructor(
    private readonly server: Server,
    readonly port: number,
  ) {}

  static async to(port: number): Promise<Wire> {
    let wire: Wire | null = null;
    const server = createServer({ allowHalfOpen: true }, (client) => wire?.join(client, connect(port, '127.0.0.1')));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    wire = new Wire(server, address.port);
    return wire;
  }

  /** From now on: one cut, counted from now. With `forGood`, nobody gets through afterwards. */
  cutAt(cut: Cut | null, forGood = false): void {
    this.#cut = cut;
    this.messages = 0;
    this.#isDead = false;
    this.#forGood = forGood;
  }

  /** Holds back everything from now on, and ends nothing. */
  hush(): void {
    for (const socket of this.#sockets) socket.removeAllListeners('data').removeAllListeners('end').pause();
  }

  private join(client: Socket, server: Socket): void {
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => this.#sockets.delete(socket));
    }
    if (this.#isDead) {
      this.#tear(client, server);
      return;
    }
    let isDue = false;
    client.on('data', (bytes) => {
      this.messages += 1;
      const isCut = this.#cut !== null && this.messages === this.#cut.at;
      isDue ||= isCut;
      if (isCut && this.#cut?.when === 'before') this.#tear(client, server);
      else server.write(bytes);
    });
    server.on('data', (bytes) => {
      if (isDue) this.#tear(client, server);
      else client.write(bytes);
    });
    client.on('end', () => server.end());
    server.on('end', () => client.end());
  }

  #tear(client: Socket, server: Socket): void {
    if (this.#cut !== null) this.#isDead = this.#forGood;
    this.#cut = null;
    client.destroy();
    server.destroy();
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
