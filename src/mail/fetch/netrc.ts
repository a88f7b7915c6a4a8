import * as fs from "node:fs";

interface NetrcLogin {
  /** Absent: for every machine (`default`). */
  readonly machine?: string;
  readonly login?: string;
  readonly password?: string;
}

/** The password that a `.netrc` has for a user of a machine; undefined where it has none, or there is no such file. */
export function passwordFromNetrc(
  file: string,
  wanted: { readonly hosts: readonly string[]; readonly user: string },
): string | undefined {
  if (fs.statSync(file, { throwIfNoEntry: false })?.isFile() !== true) return undefined;
  const logins = parseNetrc(fs.readFileSync(file, "utf8"));
  const fits = (one: NetrcLogin): boolean => one.login === wanted.user && one.password !== undefined;
  const named = logins.find((one) => one.machine !== undefined && wanted.hosts.includes(one.machine) && fits(one));
  return (named ?? logins.find((one) => one.machine === undefined && fits(one)))?.password;
}

/** As ftp(1) has it: words, quoted or not; `macdef` goes to the next empty line. */
export function parseNetrc(text: string): readonly NetrcLogin[] {
  const withoutMacros = text
    .replaceAll(/^[ \t]*macdef\b[^]*?(?:\n[ \t]*\n|$(?![^]))/gm, "\n")
    .replaceAll(/^[ \t]*#.*$/gm, "");
  const words = [...withoutMacros.matchAll(/"((?:\\.|[^"\\])*)"|(\S+)/g)].map(([, quoted, plain]) => {
    return quoted === undefined ? (plain ?? "") : quoted.replaceAll(/\\(.)/g, "$1");
  });
  const logins: { machine?: string; login?: string; password?: string }[] = [];
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at];
    const value = words[at + 1] ?? "";
    const last = logins.at(-1);
    if (word === "default") logins.push({});
    else if (word === "machine") logins.push({ machine: value });
    else if (word === "login" && last !== undefined) last.login = value;
    else if ((word === "password" || word === "passwd") && last !== undefined) last.password = value;
    if (word !== "default") at += 1;
  }
  return logins;
}
