import { Failure } from "../../base/index.ts";

/** A place on another machine, as a word names it: `scheme://user@host:port/path`. */
export interface RemotePlace {
  readonly scheme: "sftp" | "smb" | "s3";
  readonly user?: string;
  /** Of S3 the bucket. */
  readonly host: string;
  readonly port?: number;
  /** Without slashes at its ends. */
  readonly path: string;
  /** The word without slashes at its end. */
  readonly name: string;
}

const form = /^(sftp|smb|s3):\/\/(?:([^@/]*)@)?(\[[0-9a-z:.%]+\]|[^:/@[\]]+)(?::(\d{1,5}))?(?:\/(.*))?$/i;
const scheme = /^(sftp|smb|s3):\/\//i;

/** Undefined where a word names no place on another machine. Throws `usage` where it does so wrongly. */
export function parseRemotePlace(word: string): RemotePlace | undefined {
  if (!scheme.test(word)) return undefined;
  const [, kind = "", user, host = "", port, path = ""] = form.exec(word) ?? [];
  if (kind === "" || Number(port ?? 1) > 65535 || port === "0") {
    throw new Failure("usage", `cannot understand the place "${word}"`, {
      hint: "write sftp://user@host/folder, smb://user@host/share/folder or s3://bucket/folder",
    });
  }
  if (user?.includes(":") === true) {
    throw new Failure("usage", "cannot take a password from a command line: others can read it there", {
      hint: "--password-file names a file with it",
    });
  }
  return {
    scheme: kind.toLowerCase() as RemotePlace["scheme"],
    ...(user === undefined || user === "" ? {} : { user: unescaped(user) }),
    host: host.replace(/^\[|\]$/g, ""),
    ...(port === undefined ? {} : { port: Number(port) }),
    path: unescaped(path).replace(/^\/+|\/+$/g, ""),
    name: word.replace(/\/+$/, ""),
  };
}

/** `%20` as in other addresses; what is no escape stands for itself. */
function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
