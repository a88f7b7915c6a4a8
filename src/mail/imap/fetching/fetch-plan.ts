import type { MessageContent } from "../../store/index.ts";
import type { MessageRecord } from "../../message-record.ts";
import type { MessageStructure, MessageSummary } from "../../message/index.ts";
import type { FetchItem } from "../grammar/index.ts";
import { itemWriter } from "./item-writer.ts";

/** A message of which something is to be told, with what was opened for it. */
export interface FetchedMessage {
  readonly record: MessageRecord;
  /** Of ENVELOPE alone; the structure says it too. */
  readonly summary: MessageSummary | undefined;
  readonly structure: MessageStructure | undefined;
  readonly content: MessageContent | undefined;
}

/** Bytes of the message that are too many to be read at once. */
export interface ByteRange {
  readonly from: number;
  readonly to: number;
}

/** Bytes that are made again when they are sent. */
export type LaterBytes = () => Uint8Array;

// A client may ask a thousand parts of one message: of those beyond this only what they are is held until they are sent.
const heldBytesLimit = 1024 * 1024;

/** What is said of one message: text, and bytes between it. */
export class FetchLine {
  readonly pieces: (string | Uint8Array | ByteRange | LaterBytes)[] = [];
  #heldBytes = 0;
  #text: string;
  #isFirst = true;

  constructor(start: string) {
    this.#text = start;
  }

  /** An item begins with a space, which the first has not. */
  text(text: string): void {
    this.#text += this.#isFirst ? text.slice(1) : text;
    this.#isFirst = false;
  }

  /** As a literal; `again` gives the same once more. */
  literal(bytes: Uint8Array, again: LaterBytes): void {
    this.#heldBytes += bytes.length;
    this.#piece(bytes.length, this.#heldBytes > heldBytesLimit ? again : bytes);
  }

  /** A part of the message as it is, as a literal. */
  range(content: MessageContent, { from, to }: ByteRange): void {
    this.#heldBytes += to - from;
    this.#piece(to - from, this.#heldBytes > heldBytesLimit ? { from, to } : content.read(from, to));
  }

  #piece(sizeBytes: number, piece: Uint8Array | ByteRange | LaterBytes): void {
    this.pieces.push(`${this.#text}{${sizeBytes}}\r\n`, piece);
    this.#text = "";
  }

  end(): void {
    this.pieces.push(this.#text);
  }
}

export type ItemWriter = (line: FetchLine, message: FetchedMessage) => void;

/** How to tell what was asked for, and what has to be opened for it. */
export interface FetchPlan {
  readonly writers: readonly ItemWriter[];
  /** What of it is parsed; headers take half the time. */
  readonly needs: "nothing" | "summary" | "structure";
  readonly needsContent: boolean;
  readonly setsSeen: boolean;
}

export interface FetchPlanOptions {
  readonly withUid: boolean;
  readonly withModSeq: boolean;
  readonly utf8: boolean;
}

export function fetchPlan(items: readonly FetchItem[], { withUid, withModSeq, utf8 }: FetchPlanOptions): FetchPlan {
  const has = (label: string): boolean => items.some((item) => item.label === label);
  const all: readonly FetchItem[] = [
    ...(withUid && !has("UID") ? [{ kind: "plain", label: "UID" } as const] : []),
    ...items,
    ...(withModSeq && !has("MODSEQ") ? [{ kind: "plain", label: "MODSEQ" } as const] : []),
  ];
  return {
    // The same thing asked twice is told once.
    writers: [...new Map(all.map((item) => [nameOf(item), item])).values()].map((item) => itemWriter(item, { utf8 })),
    needs: all.some(needsStructure) ? "structure" : has("ENVELOPE") ? "summary" : "nothing",
    needsContent: all.some((item) => item.kind === "section" || item.kind === "binary" || item.kind === "binary-size"),
    setsSeen: all.some((item) => (item.kind === "section" || item.kind === "binary") && item.setsSeen),
  };
}

function nameOf(item: FetchItem): string {
  return "partial" in item ? `${item.label}${item.partial?.bytes ?? ""}` : item.label;
}

function needsStructure(item: FetchItem): boolean {
  if (item.kind === "plain") return ["BODY", "BODYSTRUCTURE"].includes(item.label);
  if (item.kind === "section") return item.section.part.length > 0 || item.section.text === "text";
  return item.kind === "preview" || item.path.length > 0;
}
