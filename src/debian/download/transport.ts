import * as fs from "node:fs";
import * as http from "node:http";
import * as https from "node:https";
import { fileURLToPath } from "node:url";
import { Failure, isSystemError, stopIfAborted, systemReason } from "../../base/index.ts";
import { compareVersions } from "../control/index.ts";
import { FetchFailure, networkFailure, shownUrl, statusFailure } from "./fetch-failure.ts";

export interface TransportSettings {
  readonly proxyFor: (url: URL) => string | undefined;
  /** Name and password for an address, where it wants them. */
  readonly credentialsFor?: (url: URL) => { readonly user: string; readonly password: string } | undefined;
  /** In PEM, instead of those that Node knows. */
  readonly certificateAuthorities?: Uint8Array | undefined;
  /** How long a server may say nothing. */
  readonly idleTimeoutMs: number;
  readonly connections: number;
}

export interface GetOptions {
  /** Only what comes behind so many bytes. The reply may begin at the front all the same. */
  readonly fromBytes?: number;
  /** Only if it is newer than this HTTP date. */
  readonly newerThan?: string;
  /** Not what a cache on the way has kept. */
  readonly isFresh?: boolean;
  readonly signal?: AbortSignal | undefined;
}

export interface Reply {
  /** Where the chunks begin. */
  readonly fromBytes: number;
  readonly modified: string | undefined;
  readonly chunks: AsyncIterable<Uint8Array>;
}

const redirectLimit = 10;

/** The first Node whose agents know `proxyEnv`. */
const leastForProxies = "24.5.0";

/** Gets what addresses name: http and https, by a proxy where there is one, and files of this machine. */
export class Transport implements AsyncDisposable {
  readonly #settings: TransportSettings;
  readonly #agents = new Map<string, http.Agent>();

  constructor(settings: TransportSettings) {
    this.#settings = settings;
  }

  /** Undefined where it is not newer. Whoever has the reply reads its chunks to the end or breaks off reading. */
  async get(address: string, options: GetOptions = {}): Promise<Reply | undefined> {
    let url = new URL(address);
    if (url.protocol === "file:" || url.protocol === "copy:") return fileReply(url, options);
    for (let hop = 0; hop <= redirectLimit; hop++) {
      stopIfAborted(options.signal);
      const proxy = this.#settings.proxyFor(url);
      const response = await this.#request(url, proxy, options);
      const status = response.statusCode ?? 0;
      if (status === 200 || status === 206) return replyOf(url, proxy, response, options);
      response.resume(); // what it says besides is of no use, but the connection is
      if (status === 304 && options.newerThan !== undefined) return undefined;
      const location = response.headers.location;
      if (status < 300 || status >= 400 || location === undefined) throw statusFailure(url, status, proxy);
      url = redirected(url, location);
    }
    throw new FetchFailure(
      "failed",
      `cannot fetch "${shownUrl(address)}": it leads on more than ${redirectLimit} times`,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const agent of this.#agents.values()) agent.destroy();
  }

  #request(url: URL, proxy: string | undefined, options: GetOptions): Promise<http.IncomingMessage> {
    const isHttps = url.protocol === "https:";
    const { fromBytes = 0, newerThan, signal } = options;
    const login = this.#settings.credentialsFor?.(url);
    const headers = {
      "user-agent": "holdfast",
      accept: "*/*",
      ...(fromBytes > 0 ? { range: `bytes=${fromBytes}-` } : {}),
      ...(options.isFresh === true ? { "cache-control": "max-age=0" } : {}),
      ...(newerThan === undefined ? {} : { "if-modified-since": newerThan }),
    };
    return new Promise((resolve, reject) => {
      const request = (isHttps ? https : http).get(url, {
        agent: this.#agentFor(isHttps, proxy),
        headers,
        timeout: this.#settings.idleTimeoutMs,
        ...(login === undefined ? {} : { auth: `${login.user}:${login.password}` }),
        ...(signal === undefined ? {} : { signal }),
      });
      request.once("response", resolve);
      request.once("timeout", () => request.destroy(new TimeoutError()));
      request.once("error", (error) => {
        // A kept connection that the server closed in the same moment says nothing about the server.
        if (request.reusedSocket && isSystemError(error, "ECONNRESET")) resolve(this.#request(url, proxy, options));
        else reject(failureOf(url, proxy, error, signal));
      });
    });
  }

  #agentFor(isHttps: boolean, proxy: string | undefined): http.Agent {
    const name = `${isHttps} ${proxy ?? ""}`;
    const known = this.#agents.get(name);
    if (known !== undefined) return known;
    if (proxy !== undefined && compareVersions(process.versions.node, leastForProxies) < 0) {
      // An older one would pass over the proxy without a word.
      throw new Failure(
        "unsupported",
        `cannot use the proxy "${shownUrl(proxy)}": Node ${leastForProxies} is needed for it`,
      );
    }
    const settings: http.AgentOptions = {
      keepAlive: true,
      maxSockets: this.#settings.connections,
      // Always given: whether there is a proxy was decided above, and no variable is to decide otherwise.
      proxyEnv: proxy === undefined ? {} : { HTTP_PROXY: proxy, HTTPS_PROXY: proxy },
    };
    const { certificateAuthorities: ca } = this.#settings;
    const trust = ca === undefined ? {} : { ca: Buffer.from(ca) };
    const agent = isHttps ? new https.Agent({ ...settings, ...trust }) : new http.Agent(settings);
    this.#agents.set(name, agent);
    return agent;
  }
}

class TimeoutError extends Error {
  readonly code = "ETIMEDOUT";
}

function failureOf(url: URL, proxy: string | undefined, error: unknown, signal: AbortSignal | undefined): Failure {
  if (signal?.aborted === true) return new Failure("interrupted", "interrupted", { cause: signal.reason });
  return networkFailure(url, error, proxy);
}

function replyOf(url: URL, proxy: string | undefined, response: http.IncomingMessage, options: GetOptions): Reply {
  const range = /^bytes (\d+)-/.exec(response.headers["content-range"] ?? "")?.[1];
  const fromBytes = response.statusCode === 206 && range !== undefined ? Number(range) : 0;
  return {
    fromBytes,
    modified: response.headers["last-modified"],
    chunks: bodyOf(url, proxy, response, options.signal),
  };
}

async function* bodyOf(
  url: URL,
  proxy: string | undefined,
  response: http.IncomingMessage,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, void> {
  try {
    for await (const chunk of response as AsyncIterable<Uint8Array>) yield chunk;
  } catch (error) {
    throw failureOf(url, proxy, error, signal);
  } finally {
    response.destroy();
  }
}

/** Where a redirection leads. From https to http it would give up what https is for. */
function redirected(from: URL, location: string): URL {
  const to = URL.canParse(location, from.href) ? new URL(location, from) : undefined;
  const isAllowed = to?.protocol === "https:" || (to?.protocol === "http:" && from.protocol === "http:");
  if (to === undefined || !isAllowed) {
    throw new FetchFailure(
      "refused",
      `cannot fetch "${shownUrl(from)}": it leads to "${location.slice(0, 200)}", which is not followed`,
    );
  }
  return to;
}

async function fileReply(url: URL, { fromBytes = 0, newerThan }: GetOptions): Promise<Reply | undefined> {
  const path = fileURLToPath(`file:${url.href.slice(url.protocol.length)}`);
  try {
    const stat = fs.statSync(path);
    const modified = stat.mtime.toUTCString();
    if (newerThan !== undefined && Date.parse(newerThan) >= Date.parse(modified)) return undefined;
    const chunks = fs.createReadStream(path, { start: fromBytes }) as AsyncIterable<Uint8Array>;
    return { fromBytes, modified, chunks };
  } catch (error) {
    const isAbsent = isSystemError(error, "ENOENT", "ENOTDIR");
    const why = isAbsent ? "it is not there" : systemReason(error);
    throw new FetchFailure(isAbsent ? "not-found" : "failed", `cannot fetch "${url.href}": ${why}`, {
      cause: error,
      status: isAbsent ? 404 : undefined,
    });
  }
}
