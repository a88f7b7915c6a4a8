/** A process that serves: it is given connections by the primary, and asks it what needs counting or a password. */
import type { Socket } from "node:net";
import { becomeUser } from "./become-user.ts";
import { Guard } from "./guard.ts";
import type { FromWorker, ToWorker } from "./messages.ts";
import { mailStoreOpener } from "./open-store.ts";
import { protocolsOf } from "./protocols.ts";
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
    if (this.#connections === 0) leave();
  }

  async #begin({ settings, trust, identity }: Extract<ToWorker, { readonly kind: "begin" }>): Promise<void> {
    try {
      becomeUser(identity);
      this.#guard = new Guard({
        settings,
        trust: trustOf(trust),
        office: this.#office,
        audit: { write: (line) => send({ kind: "audit", line }) },
        clock,
        openStore: mailStoreOpener(settings, { actsAsUsers: identity.actsAsUsers ?? false, clock }),
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
    if (this.#isStopping && this.#connections === 0) leave();
  }
}

/** How often connections are looked at whose certificate, or whose list, may have ended. */
const checkMs = 1000;

const worker = new Worker();
process.on("message", (message, socket) => worker.receive(message as ToWorker, socket as Socket | undefined));
process.on("disconnect", () => worker.stop()); // the primary is gone
for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(name, () => undefined); // the primary tells
