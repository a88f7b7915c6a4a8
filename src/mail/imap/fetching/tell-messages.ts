import { setImmediate as turn } from "node:timers/promises";
import { Failure } from "../../../base/index.ts";
import type { MessageContent } from "../../store/index.ts";
import { No, type NumberedMessage, type Session } from "../session/index.ts";
import { type ByteRange, type FetchedMessage, FetchLine, type FetchPlan, type LaterBytes } from "./fetch-plan.ts";

// After so much the other connections get their turn.
const batchMessages = 200;
const batchBytes = 2 * 1024 * 1024;
// A message that is large goes out in pieces of this size, so that it is not in memory as a whole for a slow reader.
const pieceBytes = 256 * 1024;

/** What could not be told: how many messages were removed meanwhile, and why others were left out. */
export interface Untold {
  removed: number;
  refusal: No | Failure | undefined;
}

/** Tells what a plan says of these messages, in their order. */
export async function tellMessages(
  session: Session,
  messages: readonly NumberedMessage[],
  plan: FetchPlan,
): Promise<Untold> {
  const untold: Untold = { removed: 0, refusal: undefined };
  const { mailbox } = session.selected;
  for (const batch of batches(messages, plan.needsContent)) {
    const seen = plan.setsSeen && !mailbox.isReadOnly ? await markSeen(session, batch) : noneSeen;
    const uids = batch.map(({ record }) => record.uid);
    const structures = plan.needs === "structure" ? new Map(mailbox.structures(uids)) : undefined;
    const summaries = plan.needs === "summary" ? new Map(mailbox.summaries(uids)) : structures;
    for (const message of batch) {
      const { uid } = message.record;
      const parsed = { structure: structures?.get(uid), summary: summaries?.get(uid) };
      if (plan.needs !== "nothing" && parsed.summary === undefined) {
        untold.removed += 1;
        continue;
      }
      const waiting = tellMessage(session, plan, { ...message, ...parsed, isNowSeen: seen.has(uid) }, untold);
      if (waiting !== undefined) await waiting;
      if (session.output.isFull) await session.output.drained();
    }
    await turn();
  }
  return untold;
}

const noneSeen: ReadonlySet<number> = new Set();

interface TellableMessage extends NumberedMessage, Omit<FetchedMessage, "record" | "content"> {
  readonly isNowSeen: boolean;
}

/** Gives a promise only where the reader has to be waited for. */
function tellMessage(
  session: Session,
  plan: FetchPlan,
  message: TellableMessage,
  untold: Untold,
): Promise<void> | undefined {
  using open = new DisposableStack();
  try {
    const { mailbox } = session.selected;
    const content = plan.needsContent ? open.use(mailbox.content(message.record.uid)) : undefined;
    const line = lineOf(session, plan, message, content);
    if (line.pieces.some(isLater)) return sendSlowly(session, line, { content, open: open.move() });
    send(session, line);
  } catch (error) {
    // The others are told nevertheless, and the answer says why it is not OK.
    if (error instanceof Failure && error.code === "not-found") untold.removed += 1;
    else if (error instanceof No || error instanceof Failure) untold.refusal = error;
    else throw error;
  }
  return undefined;
}

type Piece = FetchLine["pieces"][number];

function isLater(piece: Piece): piece is ByteRange | LaterBytes {
  return typeof piece !== "string" && !(piece instanceof Uint8Array);
}

/** `* 1 FETCH (…)`, made as a whole before a byte of it is sent. */
function lineOf(
  session: Session,
  plan: FetchPlan,
  message: TellableMessage,
  content: MessageContent | undefined,
): FetchLine {
  const record = session.selected.records[message.number - 1] ?? message.record;
  const { summary, structure } = message;
  const fetched = { record, summary, structure, content };
  const line = new FetchLine(`* ${message.number} FETCH (`);
  for (const write of plan.writers) write(line, fetched);
  if (message.isNowSeen) {
    // RFC 9051 §6.4.5: the flag that this FETCH set is told with it.
    line.text(` FLAGS (${record.flags.join(" ")})`);
    if (session.telling.modSeq) line.text(` MODSEQ (${record.modSeq})`);
  }
  line.text(")\r\n");
  line.end();
  return line;
}

function send({ output }: Session, line: FetchLine): void {
  for (const piece of line.pieces) {
    if (typeof piece === "string") output.write(piece);
    else if (piece instanceof Uint8Array) output.bytes(piece);
  }
}

/** A message of which much is asked: never more of it than the reader takes. */
async function sendSlowly(
  { output }: Session,
  line: FetchLine,
  { content, open }: { readonly content: MessageContent | undefined; readonly open: DisposableStack },
): Promise<void> {
  try {
    for (const piece of line.pieces) {
      if (typeof piece === "string") output.write(piece);
      else for (const bytes of bytesOf(piece, content)) await sendPart(bytes);
    }
  } finally {
    open.dispose();
  }

  async function sendPart(bytes: Uint8Array): Promise<void> {
    output.bytes(bytes);
    if (!output.isFull) return;
    output.isWithinLiteral = true;
    await output.drained();
    output.isWithinLiteral = false;
  }
}

function* bytesOf(piece: Exclude<Piece, string>, content: MessageContent | undefined): Iterable<Uint8Array> {
  if (piece instanceof Uint8Array) yield piece;
  else if (typeof piece === "function") yield piece();
  else for (const { from, to } of partsOf(piece)) if (content !== undefined) yield content.read(from, to);
}

function* partsOf({ from, to }: ByteRange): Iterable<ByteRange> {
  for (let at = from; at < to; at += pieceBytes) yield { from: at, to: Math.min(to, at + pieceBytes) };
}

/** Sets `\Seen` where it is not; the UIDs of those that got it. */
async function markSeen(session: Session, batch: readonly NumberedMessage[]): Promise<ReadonlySet<number>> {
  const { selected } = session;
  const unseen = batch.filter(({ record }) => !record.flags.includes("\\Seen")).map(({ record }) => record.uid);
  if (unseen.length === 0) return noneSeen;
  const { changed } = await selected.mailbox.setFlags(unseen, { mode: "add", flags: ["\\Seen"] });
  for (const record of changed) selected.take(record);
  return new Set(changed.map(({ uid }) => uid));
}

function* batches(messages: readonly NumberedMessage[], needsContent: boolean): Iterable<readonly NumberedMessage[]> {
  let batch: NumberedMessage[] = [];
  let sizeBytes = 0;
  for (const message of messages) {
    batch.push(message);
    if (needsContent) sizeBytes += message.record.sizeBytes;
    if (batch.length < batchMessages && sizeBytes < batchBytes) continue;
    yield batch;
    [batch, sizeBytes] = [[], 0];
  }
  if (batch.length > 0) yield batch;
}
