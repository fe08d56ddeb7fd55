import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcp, type Socket, type Server as TcpServer } from 'node:net';

/** Servers of one test, on 127.0.0.1; `stop` ends them with every connection. */
export class Servers {
  private readonly open: (Server | TcpServer)[] = [];
  private readonly sockets = new Set<Socket>();

  async http(answer: (request: IncomingMessage, response: ServerResponse, body: string) => void): Promise<URL> {
    const server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk) => {
        body += chunk;
      });
      request.on('end', () => answer(request, response, body));
    });
    return new URL(`http://127.0.0.1:${await this.listen(server)}`);
  }

  /** The port of a server that hands over each line that it is sent. */
  async lines(answer: (line: string, socket: Socket) => void): Promise<number> {
    const server = createTcp((socket) => {
      let text = '';
      socket.on('error', () => undefined);
      socket.on('data', (chunk) => {
        const lines = (text + chunk).split('\n');
        text = lines.pop() ?? '';
        for (const line of lines) answer(line, socket);
      });
    });
    return this.listen(server);
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await Promise.all(this.open.map((server) => new Promise((resolve) => server.close(resolve))));
    this.open.length = 0;
  }

  hangUp(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  private async listen(server: Server | TcpServer): Promise<number> {
    this.open.push(server);
    server.on('connection', (socket: Socket) => {
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return (server.address() as AddressInfo).port;
  }
}

/** A port on which nobody listens. */
export const NOBODY = new URL('http://127.0.0.1:1');
