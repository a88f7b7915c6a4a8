import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { Failure } from "../../../base/index.ts";
import type { StoreAccess } from "../access.ts";

/** Where a bucket is and by which account it is reached. */
export interface S3Settings {
  /** With the bucket as its path. */
  readonly endpoint: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

type Section = ReadonlyMap<string, string>;

/** Puts together what options, the environment and the files in `~/.aws` say, in this order. */
export function s3Settings(bucket: string, access: StoreAccess, where: string): S3Settings {
  const { env } = access;
  const home = env["HOME"] ?? os.homedir();
  const profile = env["AWS_PROFILE"] ?? "default";
  const config = readSection(env["AWS_CONFIG_FILE"] ?? path.join(home, ".aws", "config"), [
    profile === "default" ? "default" : `profile ${profile}`,
  ]);
  const keys = readSection(env["AWS_SHARED_CREDENTIALS_FILE"] ?? path.join(home, ".aws", "credentials"), [profile]);
  const told = (name: string): string | undefined => keys.get(name) ?? config.get(name);
  const region = access.region ?? env["AWS_REGION"] ?? env["AWS_DEFAULT_REGION"] ?? config.get("region") ?? "us-east-1";
  const isByEnvironment = env["AWS_ACCESS_KEY_ID"] !== undefined;
  const accessKeyId = isByEnvironment ? env["AWS_ACCESS_KEY_ID"] : told("aws_access_key_id");
  const secretAccessKey = isByEnvironment ? env["AWS_SECRET_ACCESS_KEY"] : told("aws_secret_access_key");
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    throw new Failure("failed", `cannot reach "${where}": there are no keys of an account`, {
      hint: `set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or put them into ~/.aws/credentials`,
    });
  }
  const session = isByEnvironment ? env["AWS_SESSION_TOKEN"] : told("aws_session_token");
  if (session !== undefined && session !== "") {
    throw new Failure(
      "unsupported",
      `cannot reach "${where}": its keys are those of a session, lasting ones are needed`,
      {
        hint: "backups take longer than a session may; make keys for an account of their own",
      },
    );
  }
  const endpoint =
    access.endpoint ??
    env["AWS_ENDPOINT_URL_S3"] ??
    env["AWS_ENDPOINT_URL"] ??
    config.get("endpoint_url") ??
    `https://s3.${region}.amazonaws.com`;
  if (!/^https?:\/\/[^/]+/.test(endpoint)) {
    throw new Failure("usage", `cannot understand the endpoint "${endpoint}"`, {
      hint: "write https://HOST or http://HOST:PORT",
    });
  }
  return { endpoint: `${endpoint.replace(/\/+$/, "")}/${bucket}`, region, accessKeyId, secretAccessKey };
}

/** One section of a file as AWS's programs write them; empty where there is none. */
function readSection(file: string, names: readonly string[]): Section {
  let text: string;
  try {
    text = fs.readFileSync(file, "utf8");
  } catch {
    return new Map();
  }
  const found = new Map<string, string>();
  let isMeant = false;
  for (const line of text.split("\n")) {
    const heading = /^\s*\[\s*([^\]]+?)\s*\]/.exec(line)?.[1];
    if (heading !== undefined) isMeant = names.includes(heading);
    const [, key, value = ""] = /^\s*([a-z_]+)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (isMeant && key !== undefined && !found.has(key)) found.set(key, value);
  }
  return found;
}
