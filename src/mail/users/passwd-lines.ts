/** What a line of a passwd-file says of a user; empty fields are absent. */
export interface PasswdLine {
  readonly user: string;
  readonly password?: string;
  readonly uid?: number;
  readonly gid?: number;
  readonly home?: string;
}

/** A line as Dovecot's passwd-file has it: `user:password:uid:gid:(gecos):home:(shell):extra fields`. */
export function encodePasswdLine({ user, password = "", uid, gid, home = "" }: PasswdLine): string {
  return `${user}:${password}:${uid ?? ""}:${gid ?? ""}::${home}::`;
}

/** The text of a passwd-file without the lines of a user, and with a new one at the end if one is given; all else stays. */
export function replacePasswdLine(text: string, user: string, line?: string): string {
  const kept = text.split("\n").filter((one) => !isOf(one, user));
  while (kept.at(-1) === "") kept.pop();
  return [...kept, ...(line === undefined ? [] : [line]), ""].join("\n").replace(/^\n$/, "");
}

/** Whether a passwd-file has a user. */
export function hasPasswdLine(text: string, user: string): boolean {
  return text.split("\n").some((line) => isOf(line, user));
}

/** Lines name a user with the domain or without, in any case. */
function isOf(line: string, user: string): boolean {
  const [name = ""] = line.toLowerCase().split(":");
  return name === user || name === user.slice(0, user.lastIndexOf("@"));
}

/** The users that a passwd-file of a domain names, with the domain, in their order. */
export function usersIn(text: string, domain: string): readonly string[] {
  const names = text.split("\n").flatMap((line) => {
    const [name = ""] = line.trimEnd().toLowerCase().split(":");
    if (name === "" || name.startsWith("#")) return [];
    return [name.includes("@") ? name : `${name}@${domain}`];
  });
  return [...new Set(names)];
}

/** The password field of a user's first line; empty where there is none. */
export function passwordIn(text: string, user: string): string {
  const line = text.split("\n").find((one) => isOf(one, user));
  return line?.trimEnd().split(":")[1] ?? "";
}
