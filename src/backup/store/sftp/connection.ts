import * as net from "node:net";
import { Client, type ConnectConfig, type ServerHostKeyAlgorithm, type SFTPWrapper } from "ssh2";
import { Failure, isSystemError, systemReason } from "../../../base/index.ts";
import type { StoreAccess } from "../access.ts";
import { ConnectionLost } from "../connection-lost.ts";
import type { RemotePlace } from "../place.ts";
import { fingerprintOf, keyType } from "./known-hosts.ts";
import { planLogin, type Login } from "./login.ts";

const answerTimeoutMs = 20_000;
/** A peer that answers none of three such calls is gone. */
const aliveIntervalMs = 10_000;

type Callback<T> = (error: Error | null | undefined, value: T) => void;

/** A connection that was logged in to. Once it is lost it stays so. */
export class SftpConnection implements AsyncDisposable {
  readonly #client: Client;
  readonly #sftp: SFTPWrapper;
  readonly #where: string;
  /** What rejects the calls that are under way. */
  readonly #waiting = new Set<() => void>();
  #lost: Error | undefined;

  private constructor(client: Client, sftp: SFTPWrapper, where: string) {
    this.#client = client;
    this.#sftp = sftp;
    this.#where = where;
    const lose = (error?: Error): void => {
      this.#lost ??= error ?? new Error("the connection was closed");
      for (const reject of this.#waiting) reject();
    };
    client.on("error", lose).on("close", () => lose());
    sftp.on("close", () => lose()).on("error", lose);
  }

  static async open(place: RemotePlace, access: StoreAccess): Promise<SftpConnection> {
    const login = await planLogin(place, access);
    const client = new Client();
    try {
      await connect(client, place.name, login, access.acceptHost);
      const sftp = await new Promise<SFTPWrapper>((resolve, reject) => {
        client.once("error", reject);
        client.sftp((error, opened) => (error === undefined ? resolve(opened) : reject(error)));
      });
      return new SftpConnection(client, sftp, place.name);
    } catch (error) {
      client.on("error", () => undefined); // what follows on the first one
      client.destroy();
      if (error instanceof Failure) throw error;
      throw connectFailure(place.name, login, error);
    }
  }

  get isLost(): boolean {
    return this.#lost !== undefined;
  }

  /** Calls the server. Throws `ConnectionLost` where no answer comes, and else what the server answers. */
  async call<T = void>(work: (sftp: SFTPWrapper, done: Callback<T>) => void): Promise<T> {
    if (this.#lost !== undefined) throw this.#lostFailure();
    return await new Promise<T>((resolve, reject) => {
      const lost = (): void => reject(this.#lostFailure());
      this.#waiting.add(lost);
      const done: Callback<T> = (error, value) => {
        this.#waiting.delete(lost);
        if (error === null || error === undefined) return resolve(value);
        reject(isAnswer(error) ? error : this.#lostFailure(error));
      };
      try {
        work(this.#sftp, done);
      } catch (error) {
        done(error instanceof Error ? error : new Error(String(error)), undefined as T);
      }
    });
  }

  #lostFailure(cause: Error | undefined = this.#lost): Failure {
    const why = this.#lost ?? cause;
    return new ConnectionLost(`cannot reach "${this.#where}": the connection was lost`, { cause: why });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#lost !== undefined) return void this.#client.destroy();
    const closed = new Promise<void>((resolve) => void this.#client.once("close", () => resolve()));
    this.#client.end();
    await closed;
  }
}

/** The server's own answers have a number; so has what ssh2 says when the server does not know a call. */
function isAnswer(error: Error): boolean {
  return ("code" in error && typeof error.code === "number") || error.message.includes("does not support");
}

async function connect(client: Client, where: string, login: Login, acceptHost: string | undefined): Promise<void> {
  const { host, port, user, methods, known, tried } = login;
  if (methods.length === 0) {
    throw new Failure("failed", `cannot log in to "${where}": there is no key to show`, {
      hint: "--identity names one; an agent's keys and those in ~/.ssh are tried without it",
    });
  }
  const socket = net.connect({ host, port, noDelay: true }); // else each small answer waits for the next one
  let refusal: Failure | undefined;
  const verify = (key: Buffer): boolean => {
    refusal = judgeHost(where, login, key, acceptHost);
    return refusal === undefined;
  };
  const config: ConnectConfig = {
    sock: socket,
    username: user,
    hostVerifier: verify,
    readyTimeout: answerTimeoutMs,
    keepaliveInterval: aliveIntervalMs,
    keepaliveCountMax: 3,
    authHandler: [...methods],
    ...(known.types.length === 0 ? {} : { algorithms: { serverHostKey: algorithmsOf(known.types) } }),
  };
  await new Promise<void>((resolve, reject) => {
    const fail = (error: Error): void => {
      if (refusal !== undefined) return reject(refusal);
      const isLogin = "level" in error && error.level === "client-authentication";
      if (!isLogin) return reject(error);
      reject(
        new Failure("failed", `cannot log in to "${where}" as ${user}: the server takes none of the keys`, {
          hint: tried === "" ? "only the password was tried" : `tried: ${tried}`,
          cause: error,
        }),
      );
    };
    socket.once("error", fail);
    client.once("error", fail);
    client.once("ready", resolve);
    client.on("close", () => fail(new Error("the connection was closed")));
    client.connect(config);
  });
}

function connectFailure(where: string, { host, port }: Login, error: unknown): Failure {
  const why = error instanceof Error ? systemReason(error).replace(/^connect /, "") : String(error);
  const reason = isSystemError(error, "ECONNREFUSED")
    ? `nothing answers at ${host} port ${port}`
    : isSystemError(error, "ENOTFOUND", "EAI_AGAIN")
      ? `the name ${host} is not known`
      : why;
  return new ConnectionLost(`cannot reach "${where}": ${reason}`, { cause: error });
}

/** Undefined where the host may be trusted. */
function judgeHost(
  where: string,
  { known, host, port }: Login,
  key: Buffer,
  acceptHost: string | undefined,
): Failure | undefined {
  const fingerprint = fingerprintOf(key);
  const judged = known.judge(key);
  if (judged === "known") return undefined;
  if (judged === "unknown" && acceptHost === fingerprint) return undefined;
  const at = port === 22 ? host : `-p ${port} ${host}`;
  if (judged === "unknown") {
    return new Failure("refused", `cannot trust "${where}": its key (${keyType(key)} ${fingerprint}) is not known`, {
      hint: `if that is its fingerprint: "ssh ${at}" keeps it, --accept-host ${fingerprint} takes it this time`,
    });
  }
  const what = judged === "changed" ? "is not the one that is known" : "was revoked";
  return new Failure("refused", `cannot trust "${where}": its key (${keyType(key)} ${fingerprint}) ${what}`, {
    hint: "somebody may be in between; if its key was changed, put that right in ~/.ssh/known_hosts",
  });
}

const rsaSignatures: readonly ServerHostKeyAlgorithm[] = ["rsa-sha2-512", "rsa-sha2-256"];
const otherAlgorithms: readonly ServerHostKeyAlgorithm[] = [
  "ssh-ed25519",
  "ecdsa-sha2-nistp256",
  "ecdsa-sha2-nistp384",
  "ecdsa-sha2-nistp521",
  ...rsaSignatures,
];

/** Those first by which the host is known: it may have keys of other types that are in no list. */
function algorithmsOf(types: readonly string[]): ServerHostKeyAlgorithm[] {
  const isKnown = (name: ServerHostKeyAlgorithm): boolean =>
    types.includes(rsaSignatures.includes(name) ? "ssh-rsa" : name);
  return [...otherAlgorithms.filter(isKnown), ...otherAlgorithms.filter((name) => !isKnown(name))];
}
