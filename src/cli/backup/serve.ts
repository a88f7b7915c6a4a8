import { once } from "node:events";
import * as path from "node:path";
import { Failure } from "../../base/index.ts";
import { printableName } from "../../bytes/index.ts";
import { serveNbd } from "../../device/index.ts";
import { defineCommand } from "../command.ts";
import { printWarnings } from "../print.ts";
import { backupOpener, lookOptions } from "./place-in-backup.ts";

/** `holdfast backup serve` */
export const serve = defineCommand({
  words: ["backup", "serve"],
  summary: "let other programs read a backup as the disk that it was made of, over NBD",
  description: `Nothing is restored: what is read is unpacked then. Only this machine reaches it: by a socket that is this user's, or a port of the loopback interface. It cannot be written to; programs that have to write keep that apart, as QEMU does with -snapshot.

Where it is reached is printed once it is, as QEMU and libnbd take it. It is served until it is interrupted.`,
  operands: { backup: { arity: "one", help: "the backup's folder" } },
  options: {
    socket: { kind: "string", value: "PATH", help: "where the socket is made" },
    port: {
      kind: "number",
      value: "N",
      minimum: 0,
      maximum: 65_535,
      help: "a TCP port instead; 0 for one that is free",
    },
    disk: { kind: "string", value: "NAME", help: "which disk, where the backup has several: sda" },
    ...lookOptions,
  },
  examples: [
    { line: "holdfast backup serve backups/2026-11-30-1205-sda --socket /tmp/nbd", help: "until Ctrl-C; then:" },
    {
      line: "holdfast backup serve backups/2026-11-30-1205-sda --port 10809",
      help: "qemu-system-x86_64 -snapshot nbd://127.0.0.1:10809/ starts it; nbdfuse, qemu-img convert and guestfish read it",
    },
  ],
  async run(context, args) {
    const { socket, port } = args;
    if ((socket === undefined) === (port === undefined)) {
      throw new Failure("usage", "cannot serve a backup: one of --socket PATH and --port N is needed");
    }
    await using reader = await backupOpener(context, args)(args.backup);
    await using server = await serveNbd(reader, {
      ...(socket === undefined ? { port: port ?? 0 } : { socket: path.resolve(socket) }),
      onError: (error) => {
        const why = error instanceof Error ? error.message : String(error);
        void printWarnings(context, [why]);
      },
    });
    await context.stdout.write(`${printableName(server.address)}\n`);
    await context.stdout.flush();
    const { signal } = context;
    if (!signal.aborted) await once(signal, "abort");
  },
});
