import { filesIn, textOf, type AptConfiguration } from "./configuration.ts";

/** Name and password for the addresses of a host, or of a folder on it. */
export interface Login {
  readonly protocol: string | undefined;
  readonly host: string;
  readonly port: string | undefined;
  readonly pathPrefix: string;
  readonly user: string;
  readonly password: string;
}

/** apt_auth.conf(5): auth.conf, then the files of auth.conf.d. What this user may not read is not there. */
export function readLogins(configuration: AptConfiguration): Login[] {
  const parts = filesIn(configuration.path("dir::etc::netrcparts"), /^[A-Za-z0-9_.-]+\.conf$/);
  return [configuration.path("dir::etc::netrc"), ...parts].flatMap((file) => parseLogins(textOf(file) ?? ""));
}

const machinePattern = /^(?:([a-z+]+):\/\/)?([^/:]+)(?::(\d+))?(\/.*)?$/;

function parseLogins(text: string): Login[] {
  const words = text.replaceAll(/^\s*#.*$/gm, "").split(/\s+/);
  const logins: Login[] = [];
  let [machine, user] = ["", ""];
  for (let at = 0; at + 1 < words.length; at += 2) {
    const [word, value = ""] = [words[at], words[at + 1]];
    if (word === "") at--;
    else if (word === "machine") [machine, user] = [value, ""];
    else if (word === "login") user = value;
    else if (word === "password") {
      const [, protocol, host, port, pathPrefix = ""] = machinePattern.exec(machine) ?? [];
      if (host !== undefined) logins.push({ protocol, host, port, pathPrefix, user, password: value });
    }
  }
  return logins;
}

/** The first one that fits. Without a protocol it is for https only: others show a password to whoever listens. */
export function findLogin(logins: readonly Login[], url: URL): Login | undefined {
  return logins.find(({ protocol = "https", host, port, pathPrefix }) => {
    const isHost =
      url.protocol === `${protocol}:` && url.hostname === host && (port === undefined || url.port === port);
    return isHost && url.pathname.startsWith(pathPrefix);
  });
}
