import * as net from "node:net";

/**
 * A port of 127.0.0.1 that leads to another one, from an address of its own (127.1.0.1, 127.1.0.2, …), so that the audit
 * of a server tells whose connection it writes of while many programs talk to it.
 */
export class Passage implements AsyncDisposable {
  static #made = 0;
  readonly address: string;
  readonly #server: net.Server;
  readonly #sockets = new Set<net.Socket>();

  private constructor(toPort: number) {
    this.address = `127.1.0.${++Passage.#made}`;
    this.#server = net.createServer({ allowHalfOpen: true }, (near) => {
      const to = { host: "127.0.0.1", port: toPort, localAddress: this.address, allowHalfOpen: true };
      const far = net.connect(to);
      for (const [one, other] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(one);
        one.pipe(other);
        one.on("error", () => other.end()); // what came before still gets through
        one.on("close", () => this.#sockets.delete(one));
      }
    });
  }

  static async open(toPort: number): Promise<Passage> {
    const passage = new Passage(toPort);
    await new Promise<void>((resolve) => void passage.#server.listen(0, "127.0.0.1", resolve));
    return passage;
  }

  get port(): number {
    return (this.#server.address() as net.AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => void this.#server.close(resolve));
  }
}
