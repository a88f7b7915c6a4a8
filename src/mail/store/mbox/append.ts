import * as fs from "node:fs";
import * as path from "node:path";
import type { DeliveryTarget, IncomingMessage } from "../delivery.ts";
import { append, lockToChange, type ChangeOptions } from "./change.ts";
import { fileIo, readWhole } from "./file-io.ts";
import type { LockedMbox } from "./lock.ts";
import { deliveredText } from "./message-text.ts";

export interface AppendToMboxOptions extends ChangeOptions {
  readonly nowMs: () => number;
  /** Of an mbox that is not there yet: 0600. */
  readonly mode?: number;
  readonly signal?: AbortSignal;
  /** How long to wait for other programs' locks: two minutes. */
  readonly lockTimeoutMs?: number;
}

const newline = 10;

/**
 * Delivers into an mbox as Debian's programs do: locked by fcntl(2) and a dotlock, the From_ line with the envelope's
 * sender, `>` before lines of the body that begin with "From ". Synced before it resolves; where it fails, the
 * mailbox is as before.
 */
export function appendToMbox(mailbox: string, options: AppendToMboxOptions): DeliveryTarget {
  return {
    async deliver(message: IncomingMessage) {
      const text = deliveredText(message.content, { sender: message.from, receivedMs: message.receivedMs });
      using locked = await lockToChange(mailbox, {
        ...options,
        createMode: options.mode ?? 0o600,
        ...(options.lockTimeoutMs !== undefined && { timeoutMs: options.lockTimeoutMs }),
      });
      append(locked, Buffer.concat([lineEndAtEnd(locked), text]), options);
      if (locked.isNew) (options.io ?? fileIo).syncFolder(path.dirname(mailbox));
    },
    async [Symbol.asyncDispose]() {},
  };
}

/** What is missing to the last line: the next message has to begin one. No more, or the last one would grow by it. */
export function lineEndAtEnd({ fd }: LockedMbox): Uint8Array {
  const { size } = fs.fstatSync(fd);
  if (size === 0) return new Uint8Array(0);
  const last = Buffer.alloc(1);
  readWhole(fd, last, size - 1);
  return last[0] === newline ? new Uint8Array(0) : Buffer.of(newline);
}
