import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import ssh2, { type AnyAuthMethod, type ParsedKey } from "ssh2";
import { Failure, systemReason } from "../../../base/index.ts";
import type { StoreAccess } from "../access.ts";
import type { RemotePlace } from "../place.ts";
import { knownKeysOf, type KnownKeys } from "./known-hosts.ts";
import { hostSettings } from "./ssh-config.ts";

/** Where to log in, as whom, and by what. */
export interface Login {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly methods: readonly AnyAuthMethod[];
  readonly known: KnownKeys;
  /** What a user can look at when nobody is let in. */
  readonly tried: string;
}

const usualKeys = ["id_ed25519", "id_ecdsa", "id_rsa"];
const systemFile = "/etc/ssh/ssh_known_hosts";

/** Puts together what a word, options, environment and the files in `~/.ssh` say. */
export async function planLogin(place: RemotePlace, access: StoreAccess): Promise<Login> {
  const { env } = access;
  const home = env["HOME"] ?? os.homedir();
  const folder = path.join(home, ".ssh");
  const settings = hostSettings(textOf(path.join(folder, "config")) ?? "", place.host);
  const host = settings.hostName ?? place.host;
  const port = place.port ?? settings.port ?? 22;
  const user = place.user ?? settings.user ?? env["USER"] ?? os.userInfo().username;
  const lists = ["known_hosts", "known_hosts2"].map((name) => path.join(folder, name));
  const texts = [...lists, systemFile].flatMap((file) => textOf(file) ?? []);
  const keys = [
    ...settings.identityFiles.map((file) => file.replace(/^(~|%d)(?=\/)/, home)),
    ...usualKeys.map((name) => path.join(folder, name)),
  ].filter((file) => fs.existsSync(file));
  const agent = access.identity === undefined ? env["SSH_AUTH_SOCK"] : undefined;
  const methods: AnyAuthMethod[] = [];
  const tried: string[] = [];
  if (agent !== undefined && agent !== "") {
    methods.push({ type: "agent", username: user, agent });
    tried.push("the agent");
  }
  for (const file of access.identity === undefined ? keys : [access.identity]) {
    const key = await openKey(file, access);
    if (key === undefined) continue;
    methods.push({ type: "publickey", username: user, key });
    tried.push(file);
  }
  const password = await access.password?.();
  if (password !== undefined) methods.push({ type: "password", username: user, password });
  return { host, port, user, methods, known: knownKeysOf(texts, host, port), tried: tried.join(", ") };
}

/** A key that was named must be of use; of the usual ones those that are locked are left to the agent. */
async function openKey(file: string, { identity, password }: StoreAccess): Promise<ParsedKey | undefined> {
  let bytes: Buffer;
  try {
    bytes = fs.readFileSync(file);
  } catch (error) {
    throw new Failure("failed", `cannot read the key "${file}": ${systemReason(error)}`, { cause: error });
  }
  const key = ssh2.utils.parseKey(bytes);
  if (!(key instanceof Error)) return key;
  const isLocked = key.message.includes("passphrase");
  const question = identity === undefined ? undefined : `Passphrase of ${file}: `;
  const passphrase = isLocked ? await password?.(question) : undefined;
  const unlocked = passphrase === undefined ? key : ssh2.utils.parseKey(bytes, passphrase);
  if (!(unlocked instanceof Error)) return unlocked;
  if (identity === undefined) return undefined;
  const why = isLocked ? "its passphrase is needed" : "it is no private key that can be used";
  throw new Failure(
    "failed",
    `cannot use the key "${file}": ${passphrase === undefined ? why : "the passphrase is wrong"}`,
    {
      ...(isLocked ? { hint: "--password-file names a file with it; or add the key to an agent" } : {}),
      cause: unlocked,
    },
  );
}

function textOf(file: string): string | undefined {
  try {
    return fs.readFileSync(file, "utf8");
  } catch {
    return undefined; // as where there is none
  }
}
