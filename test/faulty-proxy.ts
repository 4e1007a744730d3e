import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What happens to one request instead of, or on top of, being passed on. */
export type Fault =
  | { kind: 'status'; status: number; headers?: Record<string, string> }
  /** The connection breaks after so many bytes of the answer's body. */
  | { kind: 'break-answer'; afterBytes: number }
  /** The connection breaks after so many bytes of the request's body have been passed on. */
  | { kind: 'break-request'; afterBytes: number }
  /** The first byte of the answer's body is changed. */
  | { kind: 'corrupt' };

/** An HTTP proxy before one server that breaks as it is told. `fault` is asked for every request; undefined passes it on. */
export class FaultyProxy implements AsyncDisposable {
  readonly #server: Server;
  readonly requests: string[] = [];
  fault: (method: string, path: string) => Fault | undefined = () => undefined;

  private constructor(target: string) {
    this.#server = createServer((incoming, outgoing) => this.#handle(new URL(target), incoming, outgoing));
  }

  static async start(target: string): Promise<FaultyProxy> {
    const proxy = new FaultyProxy(target);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Makes the next request that matches break, once. */
  once(method: string, path: RegExp, fault: Fault): void {
    let done = false;
    this.fault = (asked, at) => {
      if (done || asked !== method || !path.test(at)) return undefined;
      done = true;
      return fault;
    };
  }

  #handle(target: URL, incoming: IncomingMessage, outgoing: ServerResponse): void {
    const { method = 'GET', url = '/' } = incoming;
    this.requests.push(`${method} ${url}`);
    const fault = this.fault(method, url);
    if (fault?.kind === 'status') {
      incoming.resume();
      outgoing.writeHead(fault.status, fault.headers).end();
      return;
    }
    const forward = request(
      { host: target.hostname, port: target.port, method, path: url, headers: incoming.headers, agent: false },
      (answer) => relay(answer, outgoing, fault),
    );
    forward.on('error', () => outgoing.destroy());
    let sent = 0;
    incoming.on('data', (chunk: Buffer) => {
      sent += chunk.length;
      if (fault?.kind !== 'break-request' || sent <= fault.afterBytes) forward.write(chunk);
      else {
        incoming.destroy();
        forward.destroy();
      }
    });
    incoming.on('end', () => forward.end());
  }
}

function relay(answer: IncomingMessage, outgoing: ServerResponse, fault: Fault | undefined): void {
  outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
  let sent = 0;
  answer.on('data', (chunk: Buffer) => {
    const bytes = Buffer.from(chunk);
    if (fault?.kind === 'corrupt' && sent === 0) bytes[0] = (bytes[0] ?? 0) ^ 1;
    if (fault?.kind === 'break-answer' && sent + bytes.length > fault.afterBytes) {
      outgoing.write(bytes.subarray(0, Math.max(0, fault.afterBytes - sent)), () => outgoing.destroy());
      answer.destroy();
      return;
    }
    sent += bytes.length;
    outgoing.write(bytes);
  });
  answer.on('end', () => outgoing.end());
}
