/** Header fields that are put before a message that comes in, and those that are taken out of it. */

export interface Trace {
  readonly hostName: string;
  /** `ESMTP`, `ESMTPS`, `LMTP`. */
  readonly protocol: string;
  readonly helo: string;
  /** Of whom it came from; empty over a Unix socket. */
  readonly remoteAddress: string;
  readonly id: string;
  readonly from: string;
  /** The only one it is for, else absent: others are not told of one another. */
  readonly recipient?: string | undefined;
  readonly receivedMs: number;
  /** The value of Authentication-Results after the name of this server. */
  readonly authentication?: string | undefined;
}

/** A message has come around in a circle where more servers than that have seen it (RFC 5321 §6.3). */
const receivedLimit = 100;

const newline = 10;
const carriageReturn = 13;

interface Field {
  readonly name: string;
  readonly bytes: Buffer;
}

/** A message taken apart at the end of its header. */
export interface IncomingText {
  readonly fields: readonly Field[];
  readonly rest: Buffer;
}

export function splitIncoming(content: Buffer): IncomingText {
  const fields: { name: string; bytes: Buffer }[] = [];
  let at = 0;
  while (at < content.length) {
    const found = content.indexOf(newline, at);
    const end = found === -1 ? content.length : found + 1;
    const first = content[at];
    if (first === newline || (first === carriageReturn && end === at + 2)) break;
    const line = content.subarray(at, end);
    const last = fields.at(-1);
    if ((first === 32 || first === 9) && last !== undefined)
      last.bytes = content.subarray(end - line.length - last.bytes.length, end);
    else {
      const name = /^([!-9;-~]+)[ \t]*:/.exec(line.toString("latin1", 0, 200))?.[1];
      // Without a name it is no header any more: the body has begun without an empty line.
      if (name === undefined) break;
      fields.push({ name: name.toLowerCase(), bytes: line });
    }
    at = end;
  }
  return { fields, rest: content.subarray(at) };
}

/** Why a message must not go on: it has been here before. */
export function isLooping({ fields }: IncomingText, mailbox: string): boolean {
  if (fields.filter(({ name }) => name === "received").length > receivedLimit) return true;
  return fields.some(({ name, bytes }) => name === "delivered-to" && valueOf(bytes).toLowerCase() === mailbox);
}

function valueOf(bytes: Buffer): string {
  const text = bytes.toString();
  return text.slice(text.indexOf(":") + 1).trim();
}

/** Whether a field pretends to be this server's own word on who sent the message (RFC 8601 §5). */
function isForged({ name, bytes }: Field, hostName: string): boolean {
  if (name !== "authentication-results") return false;
  const words = valueOf(bytes).replaceAll(/\([^()]*\)/g, " ");
  const server = /^\s*"?([^\s;"]+)/.exec(words)?.[1] ?? "";
  return server.toLowerCase() === hostName.toLowerCase();
}

/** The message as it goes into a mailbox. */
export function tracedMessage({ fields, rest }: IncomingText, trace: Trace, mailbox: string): Buffer {
  const isChecked = trace.authentication !== undefined;
  const kept = fields.filter((field) => {
    return field.name !== "return-path" && !(isChecked && isForged(field, trace.hostName));
  });
  const added = [
    `Return-Path: <${trace.from === "" ? "" : clean(trace.from)}>`,
    `Delivered-To: ${mailbox}`,
    ...(trace.authentication === undefined
      ? []
      : [`Authentication-Results: ${clean(trace.hostName)};${trace.authentication}`]),
    receivedField(trace),
  ];
  const isEnded = rest[0] === newline || rest[0] === carriageReturn;
  return Buffer.concat([
    Buffer.from(`${added.join("\r\n")}\r\n`),
    ...kept.map(({ bytes }) => bytes),
    ...(isEnded ? [] : [Buffer.from("\r\n")]),
    rest,
  ]);
}

/** RFC 5321 §4.4. */
function receivedField({ hostName, protocol, helo, remoteAddress, id, recipient, receivedMs }: Trace): string {
  const address = remoteAddress.includes(":") ? `IPv6:${remoteAddress}` : remoteAddress;
  const origin = remoteAddress === "" ? clean(helo) : `${clean(helo)} ([${clean(address)}])`;
  const date = new Date(receivedMs).toUTCString().replace("GMT", "+0000");
  const whom = recipient === undefined ? "" : `\r\n\tfor <${clean(recipient)}>`;
  return `Received: from ${origin}\r\n\tby ${clean(hostName)} with ${protocol} id ${id}${whom}; ${date}`;
}

/** What a peer said, without what could end the field or begin a comment. */
function clean(text: string): string {
  return text.replaceAll(/[^\x21-\x7e\u0080-\uffff]|[()<>\\"]/g, "") || "unknown";
}
