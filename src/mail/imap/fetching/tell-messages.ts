import { setImmediate as turn } from "node:timers/promises";
import { Failure } from "../../../base/index.ts";
import type { MessageContent } from "../../store/index.ts";
import { No, type NumberedMessage, type Session } from "../session/index.ts";
import { type ByteRange, type FetchedMessage, FetchLine, type FetchPlan } from "./fetch-plan.ts";
import { pieceBytes } from "./item-writer.ts";

// After so much the other connections get their turn.
const batchMessages = 200;
const batchBytes = 2 * 1024 * 1024;

/** What could not be told: how many messages were removed meanwhile, and why others were left out. */
export interface Untold {
  removed: number;
  refusal: No | undefined;
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
  let content: MessageContent | undefined;
  try {
    if (plan.needsContent) content = session.selected.mailbox.content(message.record.uid);
    const line = lineOf(session, plan, message, content);
    if (line.pieces.some((piece) => typeof piece === "object" && "from" in piece))
      return sendSlowly(session, line, content);
    send(session, line);
  } catch (error) {
    if (error instanceof No) untold.refusal = error;
    else if (error instanceof Failure && error.code === "not-found") untold.removed += 1;
    else throw error;
  }
  content?.[Symbol.dispose]();
  return undefined;
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

/** A message of which a part is large: never more of it than the reader takes. */
async function sendSlowly({ output }: Session, line: FetchLine, content: MessageContent | undefined): Promise<void> {
  using reading = content;
  for (const piece of line.pieces) {
    if (typeof piece === "string") output.write(piece);
    else if (piece instanceof Uint8Array) output.bytes(piece);
    else for (const part of partsOf(piece)) await sendPart(part);
  }

  async function sendPart({ from, to }: ByteRange): Promise<void> {
    if (reading !== undefined) output.bytes(reading.read(from, to));
    if (!output.isFull) return;
    output.isWithinLiteral = true;
    await output.drained();
    output.isWithinLiteral = false;
  }
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
