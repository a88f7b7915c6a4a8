import type { Duplex } from "node:stream";
import { Failure } from "../../base/index.ts";
import type { CertificateHolder, Credentials, GuardedConnection, LoggedIn, ServeConnection } from "../connection.ts";
import type { FoundUser, PasswordCheck } from "../passwords/index.ts";
import type { MailStore } from "../store/index.ts";
import type { Audit } from "./audit.ts";
import type { ShakenHands } from "./handshake.ts";
import type { Office } from "./office.ts";
import type { GuardSettings, ProtocolName } from "./guard.ts";

export interface DoorwayOptions {
  readonly settings: GuardSettings;
  readonly protocol: ProtocolName;
  readonly address: string;
  readonly office: Office;
  readonly audit: Audit;
  readonly openStore: (user: FoundUser) => Promise<MailStore>;
}

/** How often one connection may fail to log in. */
const attemptsLimit = 5;
/** What a protocol may take to say farewell. */
const farewellMs = 2000;

/** One connection past its handshake: who logs in by it, and that it ends. */
export class Doorway implements GuardedConnection, AsyncDisposable {
  readonly socket: Duplex;
  readonly holder: CertificateHolder;
  readonly remoteAddress: string;
  readonly allowsExternal: boolean;
  readonly #options: DoorwayOptions;
  readonly #ending = new AbortController();
  readonly #loginTimer: NodeJS.Timeout;
  #farewellTimer: NodeJS.Timeout | undefined;
  #failed = 0;
  #store: MailStore | undefined;

  constructor({ socket, holder }: ShakenHands, options: DoorwayOptions) {
    this.socket = socket;
    this.holder = holder;
    this.remoteAddress = options.address;
    this.allowsExternal = options.settings.allowsExternal;
    this.#options = options;
    this.#loginTimer = setTimeout(() => this.end("no login in time"), options.settings.limits.loginMs);
    socket.setNoDelay(true);
    socket.on("error", () => undefined); // it closes, which is what the protocol sees
  }

  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  /** Tells the protocol to end, and hangs up where it does not. */
  end(why: string): void {
    if (this.#ending.signal.aborted) return;
    this.#audit("ended", { why });
    this.#ending.abort(why);
    this.#farewellTimer = setTimeout(() => void this.socket.destroy(), farewellMs);
  }

  async run(protocol: ServeConnection): Promise<void> {
    try {
      await protocol(this);
    } catch (error) {
      this.#audit("error", { why: error instanceof Error ? (error.stack ?? error.message) : String(error) });
      this.socket.destroy();
    }
  }

  async logIn(credentials: Credentials): Promise<LoggedIn> {
    const { office, address } = this.#options;
    const check = await this.#check(credentials);
    if (!check.isRight) {
      const { why } = check;
      this.#audit("refused", { login: credentials.user, method: credentials.kind, why });
      office.refuse(address, this.holder.fingerprint);
      this.#failed++;
      if (this.#failed >= attemptsLimit) this.end("too many attempts");
      throw new Failure("refused", "cannot log in: user, password or certificate do not fit");
    }
    clearTimeout(this.#loginTimer);
    this.#audit("login", { method: credentials.kind });
    return { user: check.user.user, store: await this.#openStore(check.user) };
  }

  async #openStore(user: FoundUser): Promise<MailStore> {
    try {
      return (this.#store = await this.#options.openStore(user));
    } catch (error) {
      this.#audit("error", { why: error instanceof Error ? error.message : String(error) });
      throw new Failure("failed", "cannot open the mailbox: something is wrong with its files", { cause: error });
    }
  }

  /** The password is always compared first, so that its time tells nothing of the rest. */
  async #check(credentials: Credentials): Promise<PasswordCheck> {
    const { office, address } = this.#options;
    const { mailbox } = this.holder;
    const user = fullName(credentials.user, mailbox);
    if (credentials.kind === "external") {
      if (!this.allowsExternal) return { isRight: false, why: "a certificate alone is not enough here" };
      if (user !== "" && user !== mailbox) return { isRight: false, why: "another's certificate" };
      return office.checkUser(mailbox, address);
    }
    const attempt = { remoteAddress: address, isShown: user === mailbox };
    const check = await office.checkPassword(user, credentials.password, attempt);
    return user === mailbox ? check : { isRight: false, why: "another's certificate" };
  }

  #audit(event: string, more: Readonly<Record<string, string>>): void {
    const { audit, protocol, address } = this.#options;
    audit.write({ event, protocol, address, certificate: this.holder.mailbox, serial: this.holder.serial, ...more });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#loginTimer);
    await this.#store?.[Symbol.asyncDispose]();
    await this.#hangUp();
    clearTimeout(this.#farewellTimer);
  }

  /** What was written still leaves, if the client takes it within a while. */
  async #hangUp(): Promise<void> {
    const { socket } = this;
    if (socket.destroyed) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(() => void socket.destroy(), farewellMs);
    socket.once("close", () => resolve());
    socket.end(() => void socket.destroy());
    await promise;
    clearTimeout(timer);
  }
}

/** `joe` is meant in the domain of the certificate. */
function fullName(user: string, mailbox: string): string {
  const name = user.toLowerCase();
  return name === "" || name.includes("@") ? name : `${name}${mailbox.slice(mailbox.lastIndexOf("@"))}`;
}
