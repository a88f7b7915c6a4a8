import * as fs from "node:fs";
import * as path from "node:path";
import { isSystemError } from "../../../base/index.ts";
import { isRunning } from "./dotlock.ts";
import type { MboxRoot } from "./mbox-root.ts";

/** A move from one file to another: what is in the target is to go from the source. */
export interface Move {
  readonly pid: number;
  readonly source: string;
  readonly target: string;
  readonly messages: readonly { readonly sourceUid: number; readonly uid: number; readonly emailId: string }[];
}

const folderName = "holdfast-moves";

/** Notes a move before it begins, so that it is done to the end whatever happens; disposed of when it is. */
export function noteMove(root: MboxRoot, move: Move): Disposable {
  const folder = path.join(root.stateFolder, folderName);
  fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
  const [first] = move.messages;
  const note = path.join(folder, `${move.pid}.${root.now()}.${first?.uid ?? 0}`);
  fs.writeFileSync(note, JSON.stringify(move), { mode: 0o600, flag: "wx", flush: true });
  return { [Symbol.dispose]: () => fs.rmSync(note, { force: true }) };
}

/** Ends the moves of processes that were killed: what has arrived in the target goes from the source. */
export function finishMoves(root: MboxRoot): void {
  const folder = path.join(root.stateFolder, folderName);
  for (const name of namesIn(folder)) {
    const note = path.join(folder, name);
    const move = readMove(note);
    if (move !== undefined && move.pid !== process.pid && isRunning(move.pid)) continue;
    if (move === undefined || finished(root, move)) fs.rmSync(note, { force: true });
  }
}

/** False where another program has a mailbox locked: another time, then. */
function finished(root: MboxRoot, move: Move): boolean {
  const isThere = (name: string): boolean => name === "INBOX" || fs.existsSync(root.fileOf(name));
  if (!isThere(move.source) || !isThere(move.target)) return true;
  const { index } = root.look(move.target);
  const arrived = move.messages.filter(({ uid, emailId }) => index.held.get(uid)?.record.emailId === emailId);
  if (arrived.length === 0) return true;
  const source = root.look(move.source);
  const left = arrived.filter(
    (message) => source.index.held.get(message.sourceUid)?.record.emailId === message.emailId,
  );
  if (left.length === 0) return true;
  const removed = new Set(left.map(({ sourceUid }) => sourceUid));
  return source.tryChange((session) => void source.edit(session, { removed })) !== undefined;
}

function readMove(note: string): Move | undefined {
  try {
    return JSON.parse(fs.readFileSync(note, "utf8")) as Move;
  } catch {
    return undefined; // not written to its end: the move had not begun
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return fs.readdirSync(folder);
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return [];
    throw error;
  }
}
