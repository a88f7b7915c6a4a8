import { createHash } from "node:crypto";
import type { Socket } from "node:net";
import type { ServeConnection } from "../connection.ts";
import type { FoundUser } from "../passwords/index.ts";
import { verifyClient } from "../pki/index.ts";
import type { MailSettings } from "../settings/index.ts";
import type { MailStore } from "../store/index.ts";
import type { Audit } from "./audit.ts";
import { Doorway } from "./doorway.ts";
import { HandshakeEnd, shakeHands, type HandshakeVerdict, type ShakenHands } from "./handshake.ts";
import type { Office } from "./office.ts";
import type { Trust } from "./trust.ts";

export type ProtocolName = "imaps" | "pop3s";

export type GuardSettings = Pick<MailSettings, "allowsExternal" | "expiredRevocationList" | "limits">;

export interface GuardOptions {
  readonly settings: GuardSettings;
  readonly trust: Trust;
  readonly office: Office;
  readonly audit: Audit;
  readonly clock: () => number;
  readonly openStore: (user: FoundUser) => Promise<MailStore>;
  readonly protocols: Readonly<Record<ProtocolName, ServeConnection>>;
}

export interface NewConnection {
  readonly raw: Socket;
  readonly protocol: ProtocolName;
  readonly address: string;
}

/** Lets connections in, hands them to their protocol, and ends them when their certificate no longer counts. */
export class Guard {
  readonly #options: GuardOptions;
  #settings: GuardSettings;
  #trust: Trust;
  readonly #open = new Map<Doorway, Uint8Array>();
  #isStopping = false;

  constructor(options: GuardOptions) {
    this.#options = options;
    this.#settings = options.settings;
    this.#trust = options.trust;
  }

  /** For connections that begin from now on. */
  useSettings(settings: GuardSettings): void {
    this.#settings = settings;
  }

  /** Takes changed certificates and revocation lists; ends the connections that they no longer allow, and no others. */
  useTrust(trust: Trust): void {
    this.#trust = trust;
    this.checkAgain();
  }

  /** Ends the connections whose certificate has expired meanwhile, or whose list has. */
  checkAgain(): void {
    for (const [doorway, certificate] of this.#open) {
      const { refusal } = this.#verify(certificate);
      if (refusal !== undefined) doorway.end(refusal);
    }
  }

  /** Serves one connection to its end. Never throws. */
  async serve({ raw, protocol, address }: NewConnection): Promise<void> {
    const { audit, office, protocols } = this.#options;
    let certificate: Uint8Array = new Uint8Array();
    const shaken = await this.#shakeHands(raw, address, (der) => {
      certificate = der;
      return this.#verify(der);
    });
    if (shaken === undefined) return;
    const { socket, holder } = shaken;
    const barrier = this.#isStopping ? "too many connections" : await office.hold(holder.fingerprint);
    if (barrier !== undefined) {
      audit.write({
        event: "refused",
        protocol,
        address,
        certificate: holder.mailbox,
        serial: holder.serial,
        why: barrier,
      });
      socket.destroy();
      return;
    }
    const doorway = new Doorway(shaken, { ...this.#options, settings: this.#settings, protocol, address });
    this.#open.set(doorway, certificate);
    try {
      // Revoked in the moment between.
      const { refusal } = this.#verify(certificate);
      if (refusal === undefined) await doorway.run(protocols[protocol]);
      else doorway.end(refusal);
    } finally {
      this.#open.delete(doorway);
      await doorway[Symbol.asyncDispose]();
      office.release(holder.fingerprint);
    }
  }

  /** Tells all connections to end; whatever they were about to store they still do. */
  stop(): void {
    this.#isStopping = true;
    for (const doorway of this.#open.keys()) doorway.end("server stops");
  }

  async #shakeHands(
    raw: Socket,
    address: string,
    verify: (der: Uint8Array) => HandshakeVerdict,
  ): Promise<ShakenHands | undefined> {
    const { audit, office } = this.#options;
    const { context } = this.#trust;
    let certificate: Uint8Array | undefined;
    const keep = (der: Uint8Array): HandshakeVerdict => verify((certificate = der));
    try {
      return await shakeHands(raw, { context, verify: keep, timeoutMs: this.#settings.limits.handshakeMs });
    } catch (error) {
      if (!(error instanceof HandshakeEnd)) throw error;
      const shown = certificate === undefined ? {} : describe(certificate);
      audit.write({ event: "handshake", address, ...shown, why: error.message });
      // Whoever only hangs up, as what watches over a port does, has not been refused anything.
      if (error.refusal !== undefined) office.refuse(address);
      return undefined;
    }
  }

  #verify(certificate: Uint8Array): HandshakeVerdict {
    const acceptExpiredLists = this.#settings.expiredRevocationList === "accept";
    const at = new Date(this.#options.clock());
    const { holder, refusal } = verifyClient(certificate, at, this.#trust.bundle, { acceptExpiredLists });
    return holder === undefined ? { refusal } : { holder };
  }
}

/** What the audit tells of a certificate that was refused. */
function describe(certificate: Uint8Array): { readonly fingerprint: string } {
  return { fingerprint: createHash("sha256").update(certificate).digest("hex") };
}
