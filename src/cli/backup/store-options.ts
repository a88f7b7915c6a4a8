import * as fs from "node:fs";
import type { StoreAccess } from "../../backup/index.ts";
import { Failure, systemReason } from "../../base/index.ts";
import { askSecret } from "../ask.ts";
import type { CommandContext } from "../command.ts";

/** For every command that reads or writes backups, which may be on another machine. */
export const storeOptions = {
  identity: {
    kind: "string",
    short: "i",
    value: "FILE",
    help: "sftp: the private key to log in with; else the agent's and those in ~/.ssh",
  },
  "accept-host": {
    kind: "string",
    value: "FINGERPRINT",
    help: "sftp: trust a host that is not known yet, this time, whose key has this fingerprint (SHA256:…)",
  },
  endpoint: {
    kind: "string",
    value: "URL",
    help: "s3: where the store is, https://HOST; else AWS_ENDPOINT_URL, ~/.aws/config, or Amazon's",
  },
  region: {
    kind: "string",
    value: "NAME",
    help: "s3: the store's region; else AWS_REGION, ~/.aws/config, or us-east-1",
  },
  "password-file": {
    kind: "string",
    value: "FILE",
    help: "a password for sftp and smb, or of the key; HOLDFAST_PASSWORD in the environment is another way",
  },
} as const;

export interface StoreArguments {
  readonly identity?: string | undefined;
  readonly acceptHost?: string | undefined;
  readonly endpoint?: string | undefined;
  readonly region?: string | undefined;
  readonly passwordFile?: string | undefined;
}

/** How places elsewhere are reached, as the words and the environment say. */
export function storeAccess(context: CommandContext, args: StoreArguments): StoreAccess {
  const { env } = context;
  const { identity, acceptHost, endpoint, region, passwordFile } = args;
  return {
    env,
    nowMs: Date.now(),
    ...(identity === undefined ? {} : { identity }),
    ...(acceptHost === undefined ? {} : { acceptHost }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(region === undefined ? {} : { region }),
    password: async (question) => {
      if (passwordFile !== undefined) return readPassword(passwordFile);
      const told = env["HOLDFAST_PASSWORD"];
      if (told !== undefined && told !== "") return told;
      return question === undefined ? undefined : askSecret(context, question);
    },
  };
}

/** The first line of a file. */
function readPassword(file: string): string {
  try {
    return fs.readFileSync(file, "utf8").split(/\r?\n/)[0] ?? "";
  } catch (error) {
    throw new Failure("failed", `cannot read the password in "${file}": ${systemReason(error)}`, { cause: error });
  }
}
