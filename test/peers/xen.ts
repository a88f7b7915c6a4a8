/** Xen's own programs, on a machine without Xen. */
import * as fs from "node:fs";
import * as path from "node:path";
import { temporaryFolder, type TemporaryFolder } from "../temp.ts";
import { runPeer } from "./peer.ts";

/** Debian has the programs of each version of Xen in a folder of their own; wrappers in PATH want a hypervisor. */
function xenProgram(name: string): string {
  const folders = fs.existsSync("/usr/lib") ? fs.readdirSync("/usr/lib").filter((one) => /^xen-\d/.test(one)) : [];
  return path.join("/usr/lib", folders.toSorted().at(-1) ?? "xen", "bin", name);
}

const xl = xenProgram("xl");
const pygrub = xenProgram("pygrub");

/** What tests with these need, for `skipWithout`. */
export const xenPeers: readonly string[] = [xl, pygrub, "gcc"];

/** What xl makes of a configuration, as far as it is asked for here. */
export interface ParsedDomain {
  readonly c_info: { readonly type: string; readonly name: string; readonly uuid: string };
  readonly b_info: {
    readonly avail_vcpus: readonly number[];
    readonly target_memkb: number;
    readonly kernel?: string;
    readonly ramdisk?: string;
    readonly cmdline?: string;
    readonly bootloader?: string;
    readonly bootloader_args?: readonly string[];
    readonly "type.hvm"?: { readonly bios?: string; readonly serial?: string };
  };
  readonly disks: readonly { readonly pdev_path: string; readonly vdev: string; readonly format: string }[];
  readonly nics?: readonly { readonly mac: string; readonly bridge?: string }[];
}

/** xl's dry run. */
export class XlParser implements AsyncDisposable {
  readonly #folder: TemporaryFolder = temporaryFolder();

  constructor() {
    const source = path.join(import.meta.dirname, "no-hypervisor.c");
    runPeer("gcc", ["-shared", "-fPIC", "-o", this.#folder.join("no-hypervisor.so"), source]);
  }

  /** What `xl create --dryrun` prints. Throws what it says where it does not take the configuration. */
  parse(text: string): ParsedDomain {
    const file = this.#folder.join("domain.cfg");
    fs.writeFileSync(file, text);
    const env = { LD_PRELOAD: this.#folder.join("no-hypervisor.so"), XENSTORED_PATH: "/dev/null" };
    return JSON.parse(runPeer(xl, ["create", "--dryrun", file], { env })) as ParsedDomain;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#folder[Symbol.asyncDispose]();
  }
}

export interface Booted {
  readonly kernel: Buffer;
  readonly ramdisk?: Buffer;
  readonly args: string;
}

/** What pygrub finds for a domain, called with the words that libxl calls it with. */
export async function runPygrub({ b_info, disks }: ParsedDomain): Promise<Booted> {
  await using folder = temporaryFolder();
  const given = Object.entries({ kernel: b_info.kernel, ramdisk: b_info.ramdisk, args: b_info.cmdline });
  const words = given.flatMap(([name, value]) => (value === undefined ? [] : [`--${name}=${value}`]));
  const output = ["--output-format=simple0", `--output-directory=${folder.path}`];
  const rest = [...(b_info.bootloader_args ?? []), disks[0]?.pdev_path ?? ""];
  const printed = runPeer("python3", [pygrub, "--quiet", ...words, ...output, ...rest]);
  const found = new Map(printed.split("\0").map((line) => [line.split(" ", 1)[0] ?? "", line.replace(/^\S+ /, "")]));
  const ramdisk = found.get("ramdisk");
  return {
    kernel: fs.readFileSync(found.get("kernel") ?? ""),
    ...(ramdisk === undefined ? {} : { ramdisk: fs.readFileSync(ramdisk) }),
    args: found.get("args") ?? "",
  };
}
