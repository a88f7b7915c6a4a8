import { promises as dns } from "node:dns";
import { splitIncoming } from "./trace-header.ts";

/** Finds records in the DNS, as `dns.promises.resolve` does. */
export type Resolver = (name: string, type: string) => Promise<string[] | string[][]>;

export interface AuthenticationRequest {
  readonly content: Buffer;
  readonly from: string;
  readonly helo: string;
  readonly remoteAddress: string;
  readonly hostName: string;
  readonly resolver?: Resolver | undefined;
  readonly timeoutMs: number;
}

/**
 * What SPF, DKIM, DMARC and ARC say of a message, as the value of Authentication-Results (RFC 8601) after the name of
 * the server. Never fails: what could not be found out in time is said to be so.
 */
export async function authenticationResults(request: AuthenticationRequest): Promise<string> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), request.timeoutMs).unref();
  const { promise: tooLate, resolve } = Promise.withResolvers<string>();
  late.signal.addEventListener("abort", () => resolve(unknown("no answer in time")));
  try {
    return await Promise.race([examined(request), tooLate]);
  } catch {
    return unknown("cannot be examined");
  } finally {
    clearTimeout(timer);
  }
}

function unknown(why: string): string {
  return ["dkim", "spf", "dmarc"].map((method) => `\r\n\t${method}=temperror (${why})`).join(";");
}

async function examined({
  content,
  from,
  helo,
  remoteAddress,
  hostName,
  resolver,
}: AuthenticationRequest): Promise<string> {
  const { authenticate } = await import("mailauth");
  const { headers } = await authenticate(content, {
    sender: from,
    helo,
    ip: remoteAddress,
    mta: hostName,
    disableBimi: true,
    resolver: resolver ?? ((name, type) => dns.resolve(name, type) as Promise<string[] | string[][]>),
  });
  const { fields } = splitIncoming(Buffer.from(headers));
  const value =
    fields
      .find(({ name }) => name === "authentication-results")
      ?.bytes.toString()
      .trimEnd() ?? "";
  const results = value.slice(value.indexOf(";") + 1);
  return results.trim() === "" ? " none" : results;
}
