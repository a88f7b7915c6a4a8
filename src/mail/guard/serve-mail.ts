import type { Socket } from "node:net";
import { availableParallelism } from "node:os";
import { Failure, identities } from "../../base/index.ts";
import { UserDirectory } from "../passwords/index.ts";
import { mailPaths, readMailSettings, type MailSettings } from "../settings/index.ts";
import { AuditFile } from "./audit.ts";
import { Door } from "./door.ts";
import { Ledger } from "./ledger.ts";
import type { Identity } from "./messages.ts";
import { LocalOffice } from "./office.ts";
import type { ProtocolName } from "./guard.ts";
import { TrustKeeper } from "./trust-keeper.ts";
import { trustOf, trustPlaces } from "./trust.ts";
import { WorkerProcess } from "./worker-process.ts";

export interface ServeMailOptions {
  readonly folder: string;
  readonly clock: () => number;
  /** Over what the settings say: for trying out. */
  readonly changes?: Partial<MailSettings>;
  /** What the person who watches should know: a sentence. */
  readonly onNotice: (text: string) => void;
}

/** Where a protocol is reached. */
export interface ServedAt {
  readonly protocol: ProtocolName | "smtp" | "lmtp";
  /** Of `lmtp` the path of its socket, which has no port. */
  readonly address: string;
  readonly port?: number;
}

/** A mail server that runs. */
export interface MailServer {
  readonly served: readonly ServedAt[];
  /** Reads the settings again; addresses, ports and processes stay. */
  reload(): Promise<void>;
  /** Takes no more connections, lets those that are there finish what they do, and ends. */
  stop(): Promise<void>;
  /** Rejects where the server cannot go on. */
  readonly failed: Promise<never>;
}

/** After that long, what has not ended is ended. */
const drainMs = 10_000;

/** Starts a mail server: this process binds, counts and knows the passwords; others serve. */
export async function serveMail(options: ServeMailOptions): Promise<MailServer> {
  const server = new MailServing(options, await settingsOf(options));
  await server.start();
  return server;
}

async function settingsOf({ folder, changes }: ServeMailOptions): Promise<MailSettings> {
  return { ...(await readMailSettings(folder)), ...changes };
}

class MailServing implements MailServer {
  readonly #options: ServeMailOptions;
  #settings: MailSettings;
  readonly #ledger: Ledger;
  readonly #audit: AuditFile;
  readonly #trust: TrustKeeper;
  readonly #office: LocalOffice;
  readonly #workers = new Set<WorkerProcess>();
  readonly #starting = new Set<Promise<WorkerProcess>>();
  #doors: readonly Door[] = [];
  #given = 0;
  #isStopping = false;
  readonly #failure = Promise.withResolvers<never>();

  constructor(options: ServeMailOptions, settings: MailSettings) {
    const { clock, onNotice } = options;
    this.#options = options;
    this.#settings = settings;
    this.#ledger = new Ledger(settings.limits, clock);
    this.#audit = new AuditFile({ to: settings.audit, clock });
    const paths = mailPaths(settings.folder);
    this.#office = new LocalOffice(this.#ledger, new UserDirectory(paths.domains, settings.domains, clock));
    this.#trust = new TrustKeeper({
      folder: paths.pki,
      places: trustPlaces(settings),
      clock,
      onNotice,
      onChange: (trust) => this.#workers.forEach((worker) => worker.send({ kind: "trust", trust })),
    });
    this.#failure.promise.catch(() => undefined);
  }

  get served(): readonly ServedAt[] {
    const { smtpPort, lmtpSocket } = this.#settings.receiving;
    const smtp = smtpPort === undefined ? [] : this.#settings.listen;
    return [
      ...this.#doors.map(({ protocol, address, port }) => ({ protocol, address, port })),
      ...smtp.map((address) => ({ protocol: "smtp", address, port: smtpPort ?? 0 }) as const),
      ...(lmtpSocket === undefined ? [] : [{ protocol: "lmtp", address: lmtpSocket } as const]),
    ];
  }

  get failed(): Promise<never> {
    return this.#failure.promise;
  }

  async start(): Promise<void> {
    const identity = identityOf(this.#settings);
    try {
      await this.#trust.start();
      trustOf(this.#trust.files); // what is wrong is told here, before anything is bound
      this.#doors = await this.#openDoors();
      const count = this.#settings.processes ?? availableParallelism();
      const { smtpPort, lmtpSocket } = this.#settings.receiving;
      const isReceiving = smtpPort !== undefined || lmtpSocket !== undefined;
      await Promise.all(
        Array.from({ length: count }, (_, index) => this.#startWorker(identity, isReceiving && index === 0)),
      );
      for (const door of this.#doors) door.open();
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  async reload(): Promise<void> {
    this.#settings = { ...(await settingsOf(this.#options)), domains: this.#settings.domains };
    this.#ledger.limits = this.#settings.limits;
    this.#audit.reopen();
    for (const worker of this.#workers) worker.send({ kind: "settings", settings: this.#settings });
    await this.#trust.lookAgain();
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#trust.stop();
    for (const door of this.#doors) door.close();
    for (const worker of this.#workers) worker.send({ kind: "stop" });
    const timer = setTimeout(() => this.#workers.forEach((worker) => worker.kill()), drainMs);
    await Promise.allSettled(this.#starting);
    await Promise.all([...this.#workers].map(({ ended }) => ended));
    clearTimeout(timer);
  }

  async #openDoors(): Promise<readonly Door[]> {
    const { imapsPort, pop3sPort, listen } = this.#settings;
    const doors: Door[] = [];
    for (const [protocol, port] of [
      ["imaps", imapsPort],
      ["pop3s", pop3sPort],
    ] as const) {
      if (port === undefined) continue;
      for (const address of listen) {
        doors.push(await Door.bind({ protocol, address, port }, (...arrival) => this.#letIn(protocol, ...arrival)));
      }
    }
    return doors;
  }

  /** Decides by the address alone, and hands the connection to the process that has the fewest. */
  #letIn(protocol: ProtocolName, socket: Socket, address: string): void {
    const barrier = this.#ledger.begin(address);
    const [first, ...others] = this.#workers;
    if (barrier !== undefined || first === undefined) {
      this.#audit.write({ event: "refused", protocol, address, why: barrier ?? "server stops" });
      if (barrier === undefined) this.#ledger.end(address);
      socket.destroy();
      return;
    }
    const worker = others.reduce((best, one) => (one.connections < best.connections ? one : best), first);
    worker.give(socket, { id: ++this.#given, protocol, address });
  }

  async #startWorker(identity: Identity, isReceiving: boolean): Promise<void> {
    const begin = {
      kind: "begin",
      settings: this.#settings,
      trust: this.#trust.files,
      identity,
      isReceiving,
    } as const;
    const services = { office: this.#office, ledger: this.#ledger, audit: this.#audit };
    const starting = WorkerProcess.start(begin, services);
    this.#starting.add(starting);
    const worker = await starting.finally(() => this.#starting.delete(starting));
    this.#workers.add(worker);
    if (this.#isStopping) worker.send({ kind: "stop" }); // it took the place of one that broke down
    void this.#replaceOnceEnded(worker, identity, isReceiving);
  }

  async #replaceOnceEnded(worker: WorkerProcess, identity: Identity, isReceiving: boolean): Promise<void> {
    await worker.ended;
    this.#workers.delete(worker);
    if (this.#isStopping) return;
    this.#options.onNotice("a process that served has ended; another takes its place");
    try {
      await this.#startWorker(identity, isReceiving);
    } catch (error) {
      this.#failure.reject(error);
    }
  }
}

/** What the server works as where it is started as root, and the settings name nobody. */
const usualAccount = "holdfast";

/** As whom the processes work: root only where the settings say so, or to become each user. */
function identityOf(settings: MailSettings): Identity {
  const { account, hasSystemUsers } = settings;
  if (process.getuid?.() !== 0) {
    if (!hasSystemUsers) return {};
    throw new Failure("refused", "cannot open each user's mail as that user: only root can", {
      hint: "start it as root, or set system_users = false in mail.toml",
    });
  }
  if (hasSystemUsers) return { actsAsUsers: true, groups: [] };
  const name = account ?? usualAccount;
  const found = identities()?.accountNamed(name);
  if (found === undefined) {
    throw new Failure("not-found", `cannot serve mail as "${name}", and not as root: there is no such account`, {
      hint: `useradd --system --create-home --home-dir /var/mail/holdfast ${name}; or mail.toml names another account`,
    });
  }
  return { uid: found.uid, gid: found.gid };
}
