import { once } from "node:events";
import * as net from "node:net";
import { Failure, systemReason } from "../../base/index.ts";
import type { BlockReader } from "../block-device.ts";
import { serveClient, type SessionOptions } from "./session.ts";

export interface ServeNbdOptions extends Partial<SessionOptions> {
  /** The path of a socket that only this user reaches. */
  readonly socket?: string;
  /** A TCP port of the loopback interface; 0 for any that is free. */
  readonly port?: number;
}

/** Serves until it is disposed of; clients that are there then are cut off. */
export interface NbdServer extends AsyncDisposable {
  /** As libnbd and QEMU write it: `nbd+unix:///?socket=/run/x`, `nbd://127.0.0.1:10809`. */
  readonly address: string;
}

/** Lets other programs read a device over the NBD protocol, on this machine only. The reader stays the caller's to close. */
export async function serveNbd(reader: BlockReader, options: ServeNbdOptions): Promise<NbdServer> {
  const { socket: socketPath, port = 0, exportName = "", onError } = options;
  const sockets = new Set<net.Socket>();
  const sessions = new Set<Promise<void>>();
  const settings = { exportName, ...(onError === undefined ? {} : { onError }) };
  const server = net.createServer((socket) => {
    socket.setNoDelay(true);
    socket.on("error", () => undefined); // the session ends with it
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    const session = serveClient(socket, reader, settings)
      .catch((error: unknown) => {
        // A client that goes away in the middle of something is no failure.
        if (!(error instanceof Error && "code" in error)) onError?.(error);
      })
      .finally(() => {
        socket.destroySoon(); // what was answered still leaves
        sessions.delete(session);
      });
    sessions.add(session);
  });
  await listen(server, socketPath, port);
  const address = server.address();
  return {
    address:
      typeof address === "object" && address !== null
        ? `nbd://127.0.0.1:${address.port}/${encodeURIComponent(exportName)}`
        : `nbd+unix:///${encodeURIComponent(exportName)}?socket=${encodeURI(socketPath ?? "")}`,
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await Promise.all([closed, ...sessions]);
    },
  };
}

async function listen(server: net.Server, socketPath: string | undefined, port: number): Promise<void> {
  // The socket comes into being with these rights, and nobody can be quicker than a change of them.
  const mask = process.umask(0o077);
  try {
    if (socketPath === undefined) server.listen(port, "127.0.0.1");
    else server.listen(socketPath);
  } finally {
    process.umask(mask);
  }
  try {
    await once(server, "listening");
  } catch (error) {
    const where = socketPath === undefined ? `port ${port}` : `"${socketPath}"`;
    throw new Failure("failed", `cannot listen on ${where}: ${systemReason(error)}`, { cause: error });
  }
}
