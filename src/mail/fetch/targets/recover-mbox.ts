import * as fs from "node:fs";
import type { MboxIntent, MboxPlan } from "../intent.ts";
import { lockForFetch, type MboxTargetOptions } from "./mbox-target.ts";

const blockBytes = 1024 * 1024;
/** Programs that rewrite an mbox add header fields of their own: so far from its place may the end of a message be. */
const movedBytes = 4096;
/** What is shorter could be the beginning of another message. */
const tellingBytes = 64;
const firstLineLimitBytes = 1000;

/** The messages that are in an mbox whole. The beginning of one at the end of the file is taken away. */
export async function recoverMbox(intent: MboxIntent, options: MboxTargetOptions): Promise<readonly string[]> {
  if (!fs.existsSync(intent.path)) return [];
  using locked = await lockForFetch(intent.path, options);
  const { fd } = locked;
  const { size } = fs.fstatSync(fd);
  if (size === intent.at) return [];
  const found: string[] = [];
  const moved: MboxPlan[] = [];
  let at = intent.at;
  for (const plan of intent.messages) {
    const state = stateAt(fd, size, at, plan);
    if (state === "cut-off") {
      fs.ftruncateSync(fd, at);
      fs.fdatasyncSync(fd);
      return found;
    }
    if (state === "whole") {
      found.push(plan.uid);
      at += plan.bytes;
    } else if (state === "other") moved.push(plan);
  }
  return [...found, ...searched(fd, moved)];
}

/** `torn`: it begins here, and another program has gone on behind it before it was whole. */
function stateAt(fd: number, size: number, at: number, plan: MboxPlan): "whole" | "cut-off" | "torn" | "other" {
  if (at >= size) return "other";
  const beginning = readAt(fd, at, firstLineLimitBytes + plan.head.length);
  const lineEnd = beginning.indexOf("\n");
  if (lineEnd < 0 || !beginning.startsWith("From ")) {
    return at + beginning.length === size && isBeginning(beginning) ? "cut-off" : "other";
  }
  const head = beginning.slice(lineEnd + 1, lineEnd + 1 + plan.head.length);
  if (at + plan.bytes > size && plan.head.startsWith(head)) {
    // Somebody else's mail behind it would begin with a line of its own.
    return isLastMessage(fd, size, at) ? "cut-off" : "torn";
  }
  if (head !== plan.head) return "other";
  const end = at + plan.bytes;
  if (readAt(fd, end - plan.tail.length, plan.tail.length) !== plan.tail) return "torn";
  const after = readAt(fd, end, 5);
  return after === "" || after === "From " ? "whole" : "torn";
}

function isBeginning(text: string): boolean {
  return text.startsWith("From ") || "From ".startsWith(text);
}

function isLastMessage(fd: number, size: number, from: number): boolean {
  for (let at = from + 1; at < size; at += blockBytes) {
    if (readAt(fd, at, blockBytes + 7).includes("\n\nFrom ")) return false;
  }
  return true;
}

/** Looks for messages in a file that another program has written anew meanwhile. */
function searched(fd: number, plans: readonly MboxPlan[]): readonly string[] {
  const telling = plans.filter(({ head }) => head.length >= tellingBytes);
  const found = new Set<string>();
  if (telling.length === 0) return [];
  const overlap = Math.max(...telling.map(({ head }) => head.length));
  for (let at = 0; ; at += blockBytes) {
    const block = readAt(fd, at, blockBytes + overlap);
    for (const plan of telling) {
      const head = block.indexOf(plan.head);
      if (head >= 0 && endsNear(fd, at + head + plan.bytes, plan)) found.add(plan.uid);
    }
    if (block.length < blockBytes + overlap) return [...found];
  }
}

function endsNear(fd: number, end: number, plan: MboxPlan): boolean {
  const from = Math.max(0, end - movedBytes - plan.tail.length);
  return readAt(fd, from, 2 * movedBytes + plan.tail.length).includes(plan.tail.trimEnd());
}

function readAt(fd: number, at: number, length: number): string {
  const bytes = Buffer.alloc(Math.max(0, length));
  return bytes.toString("latin1", 0, fs.readSync(fd, bytes, 0, bytes.length, at));
}
