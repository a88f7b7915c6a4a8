import { once } from "node:events";
import * as fs from "node:fs";
import { connect, type ListenOptions, type Socket } from "node:net";
import type { Readable } from "node:stream";
import { SMTPServer, type SMTPServerAddress, type SMTPServerSession } from "smtp-server";
import { Failure, isSystemError, systemReason } from "../../base/index.ts";
import { addressKey } from "../address-key.ts";
import type { MailStore } from "../store/index.ts";
import { AliasesFile } from "./aliases.ts";
import { authenticationResults, type Resolver } from "./authentication.ts";
import { Deliverer } from "./deliver.ts";
import { AddressCounts, usualReceiveLimits, type ReceiveLimits } from "./limits.ts";
import { resolveRecipient, type Resolved } from "./recipients.ts";
import { Reply } from "./replies.ts";

/** What happened, for the log. */
export interface ReceiveEvent {
  readonly kind: "delivered" | "refused" | "failed";
  readonly protocol: "smtp" | "lmtp";
  readonly remoteAddress: string;
  readonly from: string;
  readonly recipient: string;
  readonly why?: string;
}

export interface ReceiveOptions {
  readonly hostName: string;
  /** In lower case; the first is that of `postmaster`. */
  readonly domains: readonly string[];
  /** The `aliases` file; there may be none. */
  readonly aliases: string;
  /** `+`, or whatever parts a name from what its owner adds to it. */
  readonly separator?: string | undefined;
  /** Whether `joe@example.org` has a mailbox. */
  readonly hasMailbox: (address: string) => boolean | Promise<boolean>;
  readonly openStore: (address: string) => Promise<MailStore>;
  readonly limits?: Partial<ReceiveLimits>;
  readonly nowMs: () => number;
  readonly onEvent?: (event: ReceiveEvent) => void;
}

export interface SmtpOptions extends ReceiveOptions {
  /** Absent where sockets are brought by `accept`. */
  readonly listen?: ListenOptions;
  /** For STARTTLS, in PEM; without, everything comes in clear. */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** For SPF, DKIM and DMARC; the machine's own where absent. False where they are not looked at. */
  readonly resolver?: Resolver | false;
}

export interface LmtpOptions extends ReceiveOptions {
  /** A Unix socket. */
  readonly path: string;
  /** Of the socket: 0666, as Dovecot has it; the folder decides who may reach it. */
  readonly mode?: number;
}

export interface Receiver extends AsyncDisposable {
  /** Absent for a socket. */
  readonly port?: number;
  /** Speaks with a connection that another has taken. */
  accept(socket: Socket): void;
  /** For new connections. */
  setTls(tls: { readonly key: string; readonly cert: string }): void;
}

/** Receives mail for the mailboxes of this machine, and for no other. */
export async function receiveSmtp(options: SmtpOptions): Promise<Receiver> {
  return new Reception(options, "smtp").listen(options.listen);
}

/** The same from a mail server of this machine, over a Unix socket; each recipient is answered for by itself. */
export async function receiveLmtp(options: LmtpOptions): Promise<Receiver> {
  await removeLeftSocket(options.path);
  const receiver = await new Reception(options, "lmtp").listen({ path: options.path });
  fs.chmodSync(options.path, options.mode ?? 0o666);
  return receiver;
}

/** One that nobody listens at any more. */
async function removeLeftSocket(path: string): Promise<void> {
  if (fs.lstatSync(path, { throwIfNoEntry: false })?.isSocket() !== true) return;
  const socket = connect(path);
  try {
    await once(socket, "connect");
  } catch (error) {
    if (isSystemError(error, "ECONNREFUSED")) return fs.rmSync(path, { force: true });
    throw error;
  } finally {
    socket.destroy();
  }
  throw new Failure("exists", `cannot listen at "${path}": another program does`);
}

class Reception {
  readonly #options: ReceiveOptions & Partial<SmtpOptions>;
  readonly #protocol: "smtp" | "lmtp";
  readonly #limits: ReceiveLimits;
  readonly #server: SMTPServer;
  readonly #aliases: AliasesFile;
  readonly #deliverer: Deliverer;
  readonly #messages: AddressCounts;
  readonly #connected = new Map<string, number>();
  /** Of each session that counts, and its recipients that are not here. */
  readonly #addresses = new Map<string, string>();
  readonly #unknown = new Map<string, number>();
  #memoryBytes = 0;

  constructor(options: ReceiveOptions & Partial<SmtpOptions>, protocol: "smtp" | "lmtp") {
    this.#options = options;
    this.#protocol = protocol;
    this.#limits = { ...usualReceiveLimits, ...options.limits };
    this.#aliases = new AliasesFile(options.aliases);
    this.#messages = new AddressCounts(this.#limits.windowMs);
    this.#deliverer = new Deliverer({
      openStore: options.openStore,
      onFailure: (mailbox, error) => this.#tell("failed", { from: "", recipient: mailbox, why: String(error) }),
    });
    this.#server = this.#createServer();
  }

  #createServer(): SMTPServer {
    const { hostName, tls } = this.#options;
    const isLmtp = this.#protocol === "lmtp";
    return new SMTPServer({
      name: hostName,
      banner: "Holdfast",
      lmtp: isLmtp,
      size: this.#limits.messageBytes,
      maxClients: this.#limits.connections,
      maxRecipients: this.#limits.recipients,
      socketTimeout: this.#limits.idleMs,
      closeTimeout: 5000,
      authMethods: [],
      authOptional: true,
      disabledCommands: ["AUTH", ...(tls === undefined ? ["STARTTLS"] : [])],
      disableReverseLookup: true,
      // Its own would come before those that say more.
      hideENHANCEDSTATUSCODES: true,
      ...tls,
      onConnect: (session, callback) => void answered(callback, async () => this.#onConnect(session)),
      onRcptTo: (address, session, callback) => void answered(callback, () => this.#onRecipient(address, session)),
      onData: (stream, session, callback) => void this.#onData(stream, session, callback),
      onClose: (session) => this.#onClose(session),
    });
  }

  async listen(where: ListenOptions | undefined): Promise<Receiver> {
    // What a peer does wrong on its connection is no concern of others.
    this.#server.on("error", () => {});
    const port = where === undefined ? undefined : await this.#bind(where);
    return {
      ...(port !== undefined && { port }),
      accept: (socket) => void this.#server.server.emit("connection", socket),
      setTls: (tls) => this.#server.updateSecureContext(tls),
      [Symbol.asyncDispose]: () => new Promise<void>((resolve) => this.#server.close(() => resolve())),
    };
  }

  async #bind(where: ListenOptions): Promise<number | undefined> {
    const listening = this.#server.listen(where);
    try {
      await once(listening, "listening");
    } catch (error) {
      const place = where.path ?? `port ${where.port}`;
      throw new Failure("failed", `cannot listen at "${place}": ${systemReason(error)}`, { cause: error });
    }
    const address = listening.address();
    return typeof address === "object" && address !== null ? address.port : undefined;
  }

  #tell(
    kind: ReceiveEvent["kind"],
    event: Omit<ReceiveEvent, "kind" | "protocol" | "remoteAddress">,
    session?: SMTPServerSession,
  ): void {
    const remoteAddress = session === undefined ? "" : remoteAddressOf(session);
    this.#options.onEvent?.({ kind, protocol: this.#protocol, remoteAddress, ...event });
  }

  #onConnect(session: SMTPServerSession): void {
    if (this.#protocol === "lmtp") return;
    const address = addressKey(remoteAddressOf(session));
    const count = (this.#connected.get(address) ?? 0) + 1;
    this.#connected.set(address, count);
    this.#addresses.set(session.id, address);
    if (count > this.#limits.connectionsPerAddress) throw new Reply(421, "4.7.0 Too many connections from there");
  }

  #onClose({ id }: SMTPServerSession): void {
    this.#unknown.delete(id);
    const address = this.#addresses.get(id);
    if (address === undefined) return;
    this.#addresses.delete(id);
    const count = (this.#connected.get(address) ?? 1) - 1;
    if (count > 0) this.#connected.set(address, count);
    else this.#connected.delete(address);
  }

  #resolve(address: string): Promise<Resolved> {
    const { domains, hasMailbox, separator } = this.#options;
    return resolveRecipient(address, { domains, hasMailbox, separator, aliases: this.#aliases.read() });
  }

  async #onRecipient({ address }: SMTPServerAddress, session: SMTPServerSession): Promise<void> {
    const unknown = this.#unknown.get(session.id) ?? 0;
    if (this.#protocol === "smtp" && unknown >= this.#limits.unknownRecipients) {
      throw new Reply(421, "4.7.0 Too many recipients that are not here");
    }
    const resolved = await this.#resolve(address);
    if (!("refusal" in resolved)) return;
    this.#unknown.set(session.id, unknown + 1);
    this.#tell("refused", { from: envelopeOf(session).from, recipient: address, why: resolved.refusal }, session);
    if (resolved.refusal === "relay") throw new Reply(550, "5.7.1 Mail is not taken for others than those here");
    if (resolved.refusal === "unknown") throw new Reply(550, "5.1.1 No such mailbox");
    throw new Reply(451, "4.3.5 The aliases of this address lead nowhere");
  }

  async #onData(
    stream: Readable & { readonly sizeExceeded: boolean },
    session: SMTPServerSession,
    callback: (error?: Error | null, message?: string | (string | Error)[]) => void,
  ): Promise<void> {
    let heldBytes = 0;
    try {
      const remoteAddress = remoteAddressOf(session);
      if (
        this.#protocol === "smtp" &&
        this.#messages.add(addressKey(remoteAddress), this.#options.nowMs()) > this.#limits.messagesPerAddress
      ) {
        throw new Reply(450, "4.7.1 Too many messages from there, try again later");
      }
      const content = await this.#collect(stream, (bytes) => (heldBytes += bytes));
      // The server answers by itself where the message is too large.
      if (stream.sizeExceeded || content === undefined)
        return callback(new Reply(552, "5.3.4 The message is too large"));
      const replies = await this.#deliver(content, session);
      if (this.#protocol === "lmtp")
        return callback(
          null,
          [...replies.values()].map((reply) => reply ?? "2.0.0 Delivered"),
        );
      const failed = [...replies.values()].filter((reply) => reply !== undefined);
      // What can be tried again has to be: who has got it is remembered.
      const reply = failed.find(({ isForNow }) => isForNow) ?? failed[0];
      callback(reply ?? null, "2.0.0 Delivered");
    } catch (error) {
      stream.resume();
      callback(error instanceof Reply ? error : new Reply(451, "4.3.0 Cannot receive now, try again later"));
    } finally {
      this.#memoryBytes -= heldBytes;
    }
  }

  /** The whole message; undefined where it is too large: then it is read to its end and thrown away. */
  async #collect(stream: Readable, onBytes: (bytes: number) => void): Promise<Buffer | undefined> {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const endMs = this.#options.nowMs() + this.#limits.messageMs;
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > this.#limits.messageBytes) {
        chunks.length = 0;
        continue;
      }
      this.#memoryBytes += chunk.length;
      onBytes(chunk.length);
      if (this.#memoryBytes > this.#limits.memoryBytes)
        throw new Reply(452, "4.3.1 Too much mail at once, try again later");
      if (this.#options.nowMs() > endMs) throw new Reply(421, "4.4.2 The message takes too long");
      chunks.push(chunk);
    }
    return bytes > this.#limits.messageBytes ? undefined : Buffer.concat(chunks);
  }

  /** For each recipient of the envelope: undefined where all its mailboxes have the message on disk. */
  async #deliver(content: Buffer, session: SMTPServerSession): Promise<ReadonlyMap<string, Reply | undefined>> {
    const { from, recipients } = envelopeOf(session);
    const isLmtp = this.#protocol === "lmtp";
    const remoteAddress = isLmtp ? "" : remoteAddressOf(session);
    const helo = session.hostNameAppearsAs || "unknown";
    const { hostName, resolver } = this.#options;
    const authentication =
      isLmtp || resolver === false
        ? undefined
        : await authenticationResults({
            content,
            from,
            helo,
            remoteAddress,
            hostName,
            resolver,
            timeoutMs: this.#limits.authenticationMs,
          });
    const trace = {
      hostName,
      helo,
      remoteAddress,
      from,
      authentication,
      id: session.id,
      protocol: isLmtp ? "LMTP" : session.secure ? "ESMTPS" : "ESMTP",
      recipient: recipients.length === 1 ? recipients[0] : undefined,
      receivedMs: this.#options.nowMs(),
    };
    const targets = new Map<string, Resolved>();
    for (const recipient of recipients) targets.set(recipient, await this.#resolve(recipient));
    const mailboxes = [...targets.values()].flatMap((resolved) => ("refusal" in resolved ? [] : resolved.mailboxes));
    const failed = await this.#deliverer.deliver({ content, trace }, [...new Set(mailboxes)]);
    const replies = new Map<string, Reply | undefined>();
    for (const [recipient, resolved] of targets) {
      const reply =
        "refusal" in resolved
          ? new Reply(451, "4.2.1 Mailbox is not there now")
          : worst(resolved.mailboxes.map((mailbox) => failed.get(mailbox)));
      replies.set(recipient, reply);
      if (reply === undefined) this.#tell("delivered", { from, recipient }, session);
      else this.#tell("refused", { from, recipient, why: reply.message }, session);
    }
    return replies;
  }
}

function worst(replies: readonly (Reply | undefined)[]): Reply | undefined {
  const failed = replies.filter((reply) => reply !== undefined);
  return failed.find(({ isForNow }) => isForNow) ?? failed[0];
}

/** Sockets of Unix have none, nor have connections that are gone already. */
function remoteAddressOf(session: { readonly remoteAddress?: string | undefined }): string {
  return session.remoteAddress ?? "";
}

function envelopeOf({ envelope }: SMTPServerSession): {
  readonly from: string;
  readonly recipients: readonly string[];
} {
  const from = envelope.mailFrom === false ? "" : envelope.mailFrom.address;
  return { from, recipients: envelope.rcptTo.map(({ address }) => address) };
}

async function answered(callback: (error?: Error | null) => void, work: () => Promise<void>): Promise<void> {
  let failed: Error | undefined;
  try {
    await work();
  } catch (error) {
    failed = error instanceof Reply ? error : new Reply(451, "4.3.0 Cannot say now, try again later");
  }
  callback(failed);
}
