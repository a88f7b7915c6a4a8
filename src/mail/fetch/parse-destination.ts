import * as path from "node:path";
import { Failure } from "../../base/index.ts";
import type { Destination } from "./account.ts";

/** `mbox:FILE`, `maildir:DIR`, `lmtp:SOCKET`, `lmtp:HOST:PORT`, `smtp:HOST[:PORT]`, `pipe:COMMAND`. */
export function parseDestination(text: string): Destination {
  const [, kind, rest = ""] = /^(mbox|maildir|lmtp|smtp|pipe):(.+)$/s.exec(text) ?? [];
  if (kind === "mbox" || kind === "maildir") return { kind, path: rest };
  if (kind === "pipe") return { kind, command: rest };
  if (kind === "lmtp" || kind === "smtp") {
    const domain = "localhost";
    if (kind === "lmtp" && rest.includes("/")) {
      return { kind, hosts: [{ host: "localhost", port: 0, socketPath: rest }], domain };
    }
    const [, host, port] = /^(.*?)(?:[:/](\d{1,5}))?$/.exec(rest) ?? [];
    if (host !== undefined && host !== "" && (port !== undefined || kind === "smtp")) {
      return { kind, hosts: [{ host, port: Number(port ?? 25) }], domain };
    }
  }
  throw new Failure("usage", `cannot deliver to "${text}"`, {
    hint: "write mbox:FILE, maildir:DIR, lmtp:SOCKET, lmtp:HOST:PORT, smtp:HOST or pipe:COMMAND",
  });
}

/** Paths with `%T` for the local user and `~` for home put in; absolute. */
export function destinationFor(destination: Destination, localUser: string, home: string): Destination {
  if (destination.kind !== "mbox" && destination.kind !== "maildir") return destination;
  const named = destination.path.replaceAll("%T", localUser.replaceAll("/", "_"));
  return { ...destination, path: named.startsWith("~/") ? path.join(home, named.slice(2)) : path.resolve(named) };
}
