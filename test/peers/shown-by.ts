/** What programs that show things on a terminal, or a serial port, have shown. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import { SerialText } from "../../src/disk/machine/index.ts";
import { SerialLog } from "../../src/disk/machine/serial-log.ts";
import { temporaryFolder } from "../temp.ts";
import { peerPath } from "./peer.ts";

export interface ShownOptions {
  readonly limitMs: number;
  /** Ends the program; without it, it ends by itself. */
  readonly until?: string | RegExp;
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * All that a program shows, as a person would read it: without what moves the cursor, which may stand in the middle of
 * a word. It is ended when the text has been shown, or the time is over.
 */
export async function shownBy(program: string, words: readonly string[], options: ShownOptions): Promise<string> {
  const { limitMs, until, env = {} } = options;
  await using folder = temporaryFolder();
  // Through a file, for QEMU drops what a busy reader of a socket does not take in time.
  const log = new SerialLog(folder.join("shown"));
  const child = spawn(peerPath(program) ?? program, words, {
    env: { ...process.env, ...env },
    stdio: ["ignore", log.fd, log.fd],
  });
  const closed = once(child, "close").finally(() => log.end());
  const limit = setTimeout(() => child.kill(), limitMs);
  const text = new SerialText();
  let shown = "";
  for await (const piece of log) {
    shown += text.add(piece);
    if (until !== undefined && (typeof until === "string" ? shown.includes(until) : until.test(shown))) child.kill();
  }
  await closed;
  clearTimeout(limit);
  fs.closeSync(log.fd);
  return shown;
}
