import { matches } from "./known-hosts.ts";

/** What a user's settings say of one host; names are as ssh_config(5) has them. */
export interface HostSettings {
  readonly hostName?: string;
  readonly user?: string;
  readonly port?: number;
  readonly identityFiles: readonly string[];
}

/** Reads the few settings that matter here. Of each the first one counts; `Match` and `Include` are not read. */
export function hostSettings(text: string, host: string): HostSettings {
  const found = new Map<string, string>();
  const identityFiles: string[] = [];
  let isMeant = true;
  for (const line of text.split("\n")) {
    const [, word = "", value = ""] = /^\s*([A-Za-z]+)(?:\s*=\s*|\s+)"?([^"]*?)"?\s*$/.exec(line) ?? [];
    const key = word.toLowerCase();
    if (key === "host") isMeant = isHost(value, host);
    else if (key === "match") isMeant = false;
    else if (!isMeant || key === "") continue;
    else if (key === "identityfile") identityFiles.push(value);
    else if (!found.has(key)) found.set(key, value);
  }
  const [hostName, user, port] = [found.get("hostname"), found.get("user"), Number(found.get("port") ?? "")];
  return {
    ...(hostName === undefined ? {} : { hostName: hostName.replaceAll("%h", host) }),
    ...(user === undefined ? {} : { user }),
    ...(Number.isInteger(port) && port > 0 && port < 65536 ? { port } : {}),
    identityFiles,
  };
}

function isHost(patterns: string, host: string): boolean {
  const words = patterns.split(/\s+/);
  if (words.some((word) => word.startsWith("!") && matches(word.slice(1), host))) return false;
  return words.some((word) => !word.startsWith("!") && matches(word, host));
}
