/**
 * `holdfast mail fetch` that ends itself by SIGKILL around its n-th write, flush, rename or sending: as a power failure
 * would, in every place in turn. Words: the call, `before` or `after`, then those of the command.
 */
import * as net from "node:net";
import { createRequire, syncBuiltinESMExports } from "node:module";

const [fatalCall = "0", moment = "before", ...words] = process.argv.slice(2);
const fs = createRequire(import.meta.url)("node:fs") as Record<string, (...args: unknown[]) => unknown>;
const count = { calls: 0 };

for (const name of [
  "writeSync",
  "fsyncSync",
  "fdatasync",
  "fsync",
  "renameSync",
  "linkSync",
  "rmSync",
  "unlinkSync",
  "ftruncateSync",
]) {
  fs[name] = counted(fs[name]);
}
syncBuiltinESMExports();
const sockets = net.Socket.prototype as unknown as Record<string, (...args: unknown[]) => unknown>;
sockets["write"] = counted(sockets["write"]);

function counted(call: ((...args: unknown[]) => unknown) | undefined) {
  return function counting(this: unknown, ...args: unknown[]): unknown {
    const isFatal = ++count.calls === Number(fatalCall);
    if (isFatal && moment === "before") process.kill(process.pid, "SIGKILL");
    const result = call?.apply(this, args);
    if (isFatal) process.kill(process.pid, "SIGKILL");
    return result;
  };
}

const { dispatch } = await import("../../src/cli/dispatch.ts");
const { commands } = await import("../../src/cli/commands.ts");
const { runProcess } = await import("../../src/cli/run-process.ts");
process.exitCode = await runProcess(commands, (context) => dispatch(words, context));
process.stderr.write(`calls: ${count.calls}\n`);
