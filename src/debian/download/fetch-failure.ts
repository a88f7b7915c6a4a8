import { Failure, type FailureCode, type FailureOptions } from "../../base/index.ts";

/** Why something could not be fetched. */
export class FetchFailure extends Failure {
  /** Whether the same may go well a moment later. */
  readonly isPassing: boolean;
  /** Whether nothing at all could be heard from there, as without a network. */
  readonly isOffline: boolean;
  /** The HTTP status, where one was given. */
  readonly status: number | undefined;

  constructor(code: FailureCode, message: string, options: FetchFailureOptions = {}) {
    super(code, message, options);
    this.isPassing = options.isPassing ?? false;
    this.isOffline = options.isOffline ?? false;
    this.status = options.status;
  }
}

interface FetchFailureOptions extends FailureOptions {
  readonly isPassing?: boolean;
  readonly isOffline?: boolean;
  readonly status?: number | undefined;
}

/** An address as it may be shown: without name and password. */
export function shownUrl(url: URL | string): string {
  const parsed = new URL(url);
  parsed.username = "";
  parsed.password = "";
  return parsed.href;
}

/** What the codes of Node's errors mean, and what can be done. */
const networkErrors: Readonly<Record<string, readonly [why: string, hint: string]>> = {
  ENOTFOUND: ["the name of the host is not known", "is this machine online, and the mirror's name right?"],
  EAI_AGAIN: ["the name of the host cannot be looked up now", "is this machine online?"],
  ECONNREFUSED: ["the connection is refused", "is the mirror's address right, or a proxy needed?"],
  EHOSTUNREACH: ["the host cannot be reached", "is this machine online, or a proxy needed?"],
  ENETUNREACH: ["the network cannot be reached", "is this machine online?"],
  ETIMEDOUT: ["there is no answer", "is this machine online, or a proxy needed?"],
  ECONNRESET: ["the connection broke off", "try again later"],
  EPIPE: ["the connection broke off", "try again later"],
};

const offlineCodes: readonly string[] = [
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ECONNREFUSED",
  "ETIMEDOUT",
];

/** What Node threw on the way, as a failure. `proxy` is the one in use. */
export function networkFailure(url: URL, error: unknown, proxy: string | undefined): FetchFailure {
  if (error instanceof FetchFailure) return error;
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const way = proxy === undefined ? "" : `, by the proxy ${shownUrl(proxy)}`;
  const subject = `cannot fetch "${shownUrl(url)}"${way}`;
  const [why, hint] = networkErrors[code] ?? [];
  if (why !== undefined && hint !== undefined) {
    const isOffline = offlineCodes.includes(code);
    return new FetchFailure("failed", `${subject}: ${why}`, { hint, cause: error, isPassing: true, isOffline });
  }
  const said = error instanceof Error ? error.message : String(error);
  if (code.startsWith("ERR_PROXY")) {
    return new FetchFailure("failed", `${subject}: the proxy refused (${said})`, {
      hint: "apt's setting Acquire::http::Proxy or the variables http_proxy and https_proxy name it",
      cause: error,
    });
  }
  if (url.protocol === "https:" && /cert|tls|ssl|self.signed/i.test(`${code} ${said}`)) {
    return new FetchFailure("failed", `${subject}: its certificate cannot be trusted or TLS failed (${said})`, {
      hint: "NODE_EXTRA_CA_CERTS names a file with more certificate authorities",
      cause: error,
    });
  }
  return new FetchFailure("failed", `${subject}: ${said}`, { cause: error });
}

/** What a status other than success means. */
export function statusFailure(url: URL, status: number, proxy: string | undefined): FetchFailure {
  const subject = `cannot fetch "${shownUrl(url)}"`;
  if (status === 407) {
    return new FetchFailure("failed", `${subject}: the proxy ${shownUrl(proxy ?? url)} wants a name and password`, {
      hint: "give them in apt's setting or in http_proxy: http://NAME:PASSWORD@HOST:PORT",
      status,
    });
  }
  const known: readonly [why: string, hint?: string] = {
    401: ["it wants a name and password", "apt's auth.conf has them for each host"] as const,
    403: ["it may not be read"] as const,
    404: ["it is not there", absentHint] as const,
    410: ["it is gone", absentHint] as const,
  }[status] ?? ["the server refuses"];
  const [why, hint] = known;
  const isPassing = status >= 500 || status === 408 || status === 429;
  return new FetchFailure(hint === absentHint ? "not-found" : "failed", `${subject}: ${why} (HTTP ${status})`, {
    isPassing,
    status,
    ...(hint === undefined ? {} : { hint }),
  });
}

const absentHint = "is the address right? the mirror may also be changing just now: try again later";
