/** Servers as ordinary processes, that tests start and end. */
import { spawn, type ChildProcess } from "node:child_process";
import { connect, createServer, type AddressInfo } from "node:net";
import { createInterface } from "node:readline";
import { setTimeout } from "node:timers/promises";
import { peerPath } from "./peer.ts";

/** A port on which nobody listens now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => void server.close(resolve));
  return port;
}

/**
 * A process of its own group, so that what it starts can be ended with it. Resolves once it has said `ready`, or answers
 * at that port.
 */
export async function startServer(
  program: string,
  words: readonly string[],
  ready: RegExp | number,
  env: NodeJS.ProcessEnv = process.env,
): Promise<ChildProcess> {
  const child = spawn(peerPath(program) ?? program, words, { stdio: ["ignore", "pipe", "pipe"], detached: true, env });
  const said: string[] = [];
  await new Promise<void>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on("line", (line) => {
        said.push(line);
        if (typeof ready !== "number" && ready.test(line)) resolve();
      });
    }
    if (typeof ready === "number") void answering(ready, child).then(resolve);
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`${program} ended with ${code}:\n${said.join("\n")}`)));
  });
  return child;
}

/** Resolves once somebody answers at a port, or the process has ended. */
async function answering(port: number, child: ChildProcess): Promise<void> {
  while (child.exitCode === null && child.signalCode === null) {
    const isThere = await new Promise<boolean>((resolve) => {
      const socket = connect({ port, host: "127.0.0.1" });
      socket.once("error", () => resolve(false));
      socket.once("connect", () => {
        socket.destroy();
        resolve(true);
      });
    });
    if (isThere) return;
    await setTimeout(50);
  }
}

/** Ends a process that `startServer` started, with what it has started. */
export async function endServer(child: ChildProcess | undefined): Promise<void> {
  if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => void child.once("exit", resolve));
  process.kill(-child.pid, "SIGKILL");
  await ended;
}
