import * as fs from "node:fs";
import { setTimeout } from "node:timers/promises";
import { libc } from "../../../base/index.ts";

export async function lockMbox(
  path: string,
  signal: AbortSignal | undefined,
): Promise<{ readonly fd: number } & Disposable> {
  const fd = fs.openSync(path, fs.constants.O_RDWR | fs.constants.O_CREAT, 0o600);
  while (libc()?.lockWhole(fd) === false) await setTimeout(50, undefined, signal === undefined ? {} : { signal });
  return { fd, [Symbol.dispose]: () => fs.closeSync(fd) };
}
