/** A process that serves: it is given connections by the primary, and asks it what needs counting or a password. */
import type { Socket } from "node:net";
import type { Audit } from "./audit.ts";
import { becomeUser } from "./become-user.ts";
import { Guard } from "./guard.ts";
import type { FromWorker, ToWorker } from "./messages.ts";
import { mailStoreOpener } from "./open-store.ts";
import { protocolsOf } from "./protocols.ts";
import type { MailReception } from "./receive-mail.ts";
import { RemoteOffice } from "./remote-office.ts";
import { trustOf } from "./trust.ts";

const clock = (): number => new Date().getTime();

function send(message: FromWorker): void {
  if (process.connected) process.send?.(message);
}

/** Without the primary there is nothing to wait for. */
function leave(): void {
  if (process.connected) process.disconnect();
}

class Worker {
  readonly #office = new RemoteOffice(send);
  #guard: Guard | undefined;
  #reception: MailReception | undefined;
  #connections = 0;
  #isStopping = false;

  receive(message: ToWorker, socket: Socket | undefined): void {
    switch (message.kind) {
      case "begin":
        return void this.#begin(message);
      case "connection":
        return void this.#serve(message, socket);
      case "answer":
        return this.#office.answered(message);
      case "trust":
        this.#reception?.useTrust(message.trust);
        return this.#guard?.useTrust(trustOf(message.trust));
      case "settings":
        return this.#guard?.useSettings(message.settings);
      case "stop":
        return this.stop();
    }
  }

  /** Ends once the last connection has. */
  stop(): void {
    this.#isStopping = true;
    this.#guard?.stop();
    void this.#stopReceiving();
  }

  async #stopReceiving(): Promise<void> {
    await this.#reception?.stop();
    this.#reception = undefined;
    if (this.#connections === 0) leave();
  }

  async #begin(begin: Extract<ToWorker, { readonly kind: "begin" }>): Promise<void> {
    const { settings, trust, identity } = begin;
    const openStore = mailStoreOpener(settings, { actsAsUsers: identity.actsAsUsers ?? false, clock });
    const audit: Audit = { write: (line) => send({ kind: "audit", line }) };
    try {
      if (begin.isReceiving) {
        const { openMailReception } = await import("./receive-mail.ts");
        this.#reception = await openMailReception({ settings, trust, office: this.#office, audit, openStore, clock });
      }
      becomeUser(identity);
      this.#guard = new Guard({
        settings,
        trust: trustOf(trust),
        office: this.#office,
        audit,
        clock,
        openStore,
        protocols: protocolsOf(settings),
      });
      setInterval(() => this.#guard?.checkAgain(), checkMs).unref();
      send({ kind: "ready" });
    } catch (error) {
      send({ kind: "failed", message: error instanceof Error ? error.message : String(error) });
    }
  }

  async #serve(
    { id, protocol, address }: Extract<ToWorker, { readonly kind: "connection" }>,
    raw: Socket | undefined,
  ): Promise<void> {
    this.#connections++;
    // It may be gone by the time that it arrives here.
    if (raw !== undefined && this.#guard !== undefined) await this.#guard.serve({ raw, protocol, address });
    else raw?.destroy();
    this.#connections--;
    send({ kind: "ended", id });
    if (this.#isStopping && this.#connections === 0 && this.#reception === undefined) leave();
  }
}

/** How often connections are looked at whose certificate, or whose list, may have ended. */
const checkMs = 1000;

const worker = new Worker();
process.on("message", (message, socket) => worker.receive(message as ToWorker, socket as Socket | undefined));
process.on("disconnect", () => worker.stop()); // the primary is gone
for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(name, () => undefined); // the primary tells
