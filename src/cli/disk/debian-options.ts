import * as fs from "node:fs";
import { Failure } from "../../base/index.ts";
import { archiveFolderIn } from "../cache-folder.ts";
import type { CreateDiskRequest } from "../../disk/index.ts";

/** What `disk create` takes to make a Debian system. */
export const debianOptions = {
  debian: {
    kind: "string",
    value: "RELEASE",
    help: "fill its root with Debian: bookworm, trixie, stable …; packages come from the sources of this machine's apt, or from --mirror",
  },
  mirror: {
    kind: "string",
    value: "URL",
    repeatable: true,
    help: 'with --debian: an archive to take packages from instead; suite and components may follow it, as in "URL trixie-updates main"',
  },
  package: { kind: "string", value: "NAME", repeatable: true, help: "with --debian: install this package too" },
  kernel: {
    kind: "string",
    value: "PACKAGE",
    help: "with --debian: its kernel; linux-image-cloud-amd64, which is for virtual machines, unless told",
  },
  configure: {
    kind: "flag",
    help: "with --debian: have it start once now, in QEMU, so that nothing is left to configure later",
  },
  hostname: { kind: "string", value: "NAME", help: "with --debian: what the machine is called; debian unless told" },
  "ssh-key": {
    kind: "string",
    value: "FILE",
    repeatable: true,
    help: "with --debian: a public key that root logs in with; the machine then has an SSH server",
  },
  "root-password-file": {
    kind: "string",
    value: "FILE",
    help: "with --debian: root's password as crypt(5) has it, as openssl passwd -6 prints it; without one root logs in by no password",
  },
} as const;

interface DebianArguments {
  readonly debian?: string | undefined;
  readonly mirror: readonly string[];
  readonly package: readonly string[];
  readonly kernel?: string | undefined;
  readonly configure: boolean;
  readonly hostname?: string | undefined;
  readonly sshKey: readonly string[];
  readonly rootPasswordFile?: string | undefined;
}

/** The request for a Debian system that the words make. */
export function debianIn(args: DebianArguments, env: NodeJS.ProcessEnv): Pick<CreateDiskRequest, "debian"> {
  const { debian: release, kernel, hostname, rootPasswordFile } = args;
  if (release === undefined) {
    refuseOthers(args);
    return {};
  }
  return {
    debian: {
      release,
      ...(args.mirror.length === 0 ? {} : { mirrors: args.mirror }),
      packages: args.package,
      configure: args.configure,
      ...(kernel === undefined ? {} : { kernel }),
      ...(hostname === undefined ? {} : { hostname }),
      ...(rootPasswordFile === undefined ? {} : { rootPasswordHash: readHash(rootPasswordFile) }),
      sshKeys: args.sshKey.flatMap(readKeys),
      cacheFolder: archiveFolderIn(env),
      env,
    },
  };
}

function refuseOthers(args: DebianArguments): void {
  const given = [
    ["--mirror", args.mirror.length > 0],
    ["--package", args.package.length > 0],
    ["--kernel", args.kernel !== undefined],
    ["--configure", args.configure],
    ["--hostname", args.hostname !== undefined],
    ["--ssh-key", args.sshKey.length > 0],
    ["--root-password-file", args.rootPasswordFile !== undefined],
  ] as const;
  const option = given.find(([, isGiven]) => isGiven)?.[0];
  if (option === undefined) return;
  throw new Failure("usage", `cannot use ${option} without --debian`, { hint: "add --debian bookworm" });
}

function readKeys(file: string): string[] {
  const lines = readText(file)
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
  if (
    lines.length === 0 ||
    lines.some((line) => !/\b(ssh|ecdsa|sk-ssh|sk-ecdsa)-[\w@.-]+ [A-Za-z0-9+/=]+/.test(line))
  ) {
    throw new Failure("failed", `cannot use "${file}" as a key for SSH: it is no public key`, {
      hint: "name the file that ends in .pub",
    });
  }
  return lines;
}

function readHash(file: string): string {
  const hash = readText(file).trim();
  if (/^\$[\w]+\$[^:\s]+$/.test(hash)) return hash;
  throw new Failure("failed", `cannot use the password in "${file}": it is not encrypted as crypt(5) has it`, {
    hint: `openssl passwd -6 > "${file}" asks for one and encrypts it`,
  });
}

function readText(file: string): string {
  try {
    return fs.readFileSync(file, "utf8");
  } catch (error) {
    throw new Failure("not-found", `cannot read "${file}": ${error instanceof Error ? error.message : String(error)}`);
  }
}
