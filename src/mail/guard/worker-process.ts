import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import type { Socket } from "node:net";
import { fileURLToPath } from "node:url";
import { Failure } from "../../base/index.ts";
import type { FoundUser, PasswordCheck } from "../passwords/index.ts";
import type { Audit } from "./audit.ts";
import type { Ledger } from "./ledger.ts";
import type { Answer, FromWorker, ToWorker } from "./messages.ts";
import type { Office } from "./office.ts";

export interface WorkerServices {
  readonly office: Office;
  readonly ledger: Ledger;
  readonly audit: Audit;
}

/** A process that serves, as the primary sees it. */
export class WorkerProcess {
  readonly #child: ChildProcess;
  readonly #services: WorkerServices;
  /** Addresses of its connections, and the certificates that it holds: taken back should it break down. */
  readonly #addresses = new Map<number, string>();
  readonly #held: string[] = [];
  readonly ended: Promise<unknown>;

  private constructor(child: ChildProcess, services: WorkerServices) {
    this.#child = child;
    this.#services = services;
    this.ended = once(child, "exit").finally(() => this.#takeBack());
    child.on("error", () => undefined); // a message that came too late
  }

  /** Resolves once it can be given connections. */
  static async start(
    begin: Extract<ToWorker, { readonly kind: "begin" }>,
    services: WorkerServices,
  ): Promise<WorkerProcess> {
    const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
    const script = fileURLToPath(new URL(`./guard-worker.${extension}`, import.meta.url));
    // Output of its own only where something is wrong; not the settings of a debugger.
    const child = fork(script, [], { stdio: ["ignore", "inherit", "inherit", "ipc"], execArgv: [] });
    const worker = new WorkerProcess(child, services);
    const { promise: ready, resolve, reject } = Promise.withResolvers<void>();
    child.on("message", (message: FromWorker) => {
      if (message.kind === "ready") resolve();
      else if (message.kind === "failed") reject(new Failure("failed", message.message));
      else void worker.#receive(message);
    });
    void worker.ended.then(() =>
      reject(new Failure("failed", "cannot serve: a process that serves has ended at once")),
    );
    worker.send(begin);
    try {
      await ready;
    } catch (error) {
      child.kill("SIGKILL");
      throw error;
    }
    return worker;
  }

  get connections(): number {
    return this.#addresses.size;
  }

  send(message: ToWorker, socket?: Socket): void {
    if (this.#child.connected) this.#child.send(message, socket);
    else socket?.destroy();
  }

  /** Hands over a connection that was counted already. */
  give(socket: Socket, connection: Omit<Extract<ToWorker, { readonly kind: "connection" }>, "kind">): void {
    this.#addresses.set(connection.id, connection.address);
    this.send({ kind: "connection", ...connection }, socket);
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }

  async #receive(message: Exclude<FromWorker, { readonly kind: "ready" | "failed" }>): Promise<void> {
    const { office, ledger } = this.#services;
    switch (message.kind) {
      case "ended": {
        const address = this.#addresses.get(message.id);
        if (address !== undefined) ledger.end(address);
        this.#addresses.delete(message.id);
        return;
      }
      case "audit":
        return this.#services.audit.write(message.line);
      case "refuse":
        return office.refuse(message.address, message.fingerprint);
      case "release":
        this.#held.splice(this.#held.indexOf(message.fingerprint), 1);
        return office.release(message.fingerprint);
      case "hold": {
        const barrier = await office.hold(message.fingerprint);
        if (barrier === undefined) this.#held.push(message.fingerprint);
        return this.#answer(message.question, barrier ?? null);
      }
      case "password": {
        const { user, password, question } = message;
        return this.#answer(question, await settled(() => office.checkPassword(user, password, message.attempt)));
      }
      case "recipient":
        return this.#answer(message.question, (await found(() => office.findUser(message.user))) ?? null);
      case "user":
        return this.#answer(message.question, await settled(() => office.checkUser(message.user, message.address)));
    }
  }

  #answer(question: number, answer: Answer | null): void {
    this.send({ kind: "answer", question, answer });
  }

  #takeBack(): void {
    const { office, ledger } = this.#services;
    for (const address of this.#addresses.values()) ledger.end(address);
    for (const fingerprint of this.#held) office.release(fingerprint);
    this.#addresses.clear();
    this.#held.length = 0;
  }
}

/** A file of users that cannot be read has none. */
async function found(find: () => Promise<FoundUser | undefined>): Promise<FoundUser | undefined> {
  try {
    return await find();
  } catch {
    return undefined;
  }
}

/** A file of users that cannot be read lets nobody in, and the audit says why. */
async function settled(check: () => Promise<PasswordCheck>): Promise<PasswordCheck> {
  try {
    return await check();
  } catch (error) {
    return { isRight: false, why: error instanceof Error ? error.message : String(error) };
  }
}
