/** Programs of this machine, and this program itself, as files of an initramfs. */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { peerPath, runPeer } from "./peer.ts";

type Files = Record<string, string | Uint8Array>;

const checkout = path.join(import.meta.dirname, "../..");

/** Programs by where they are to be, with the libraries that they need. They lack the permission to be run. */
export function programFiles(programs: Readonly<Record<string, string>>): Files {
  const files: Files = {};
  for (const [at, name] of Object.entries(programs)) {
    const program = peerPath(name) ?? name;
    put(files, at, fs.readFileSync(program));
    for (const [, library = ""] of runPeer("ldd", [program]).matchAll(/(\/lib\S+)/g)) {
      put(files, library.slice(1), fs.readFileSync(library));
    }
  }
  return files;
}

/** Node, and this program as it is published, without other packages than koffi: `node /holdfast/cli/main.js`. */
export function holdfastFiles(): Files {
  const files = programFiles({ "bin/node": process.execPath });
  const packages = path.join(checkout, "node_modules");
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "holdfast-test-"));
  try {
    const words = ["-p", path.join(checkout, "tsconfig.build.json"), "--noCheck", "--declaration", "false"];
    runPeer(process.execPath, [path.join(packages, "typescript/bin/tsc"), ...words, "--outDir", folder]);
    putFolder(files, "holdfast", folder);
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
  files["holdfast/package.json"] = '{ "type": "module" }';
  for (const name of ["koffi", `@koromix/koffi-${process.platform}-${process.arch}`]) {
    putFolder(files, `holdfast/node_modules/${name}`, path.join(packages, name));
  }
  return files;
}

/** What of a folder Node loads. */
function putFolder(files: Files, at: string, folder: string): void {
  for (const name of fs.readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    if (!/\.(?:c?js|json|node)$/.test(name) || name.startsWith("musl")) continue;
    put(files, `${at}/${name}`, fs.readFileSync(path.join(folder, name)));
  }
}

/** With the folders that it is in, which come first. */
function put(files: Files, name: string, bytes: string | Uint8Array): void {
  const parts = name.split("/");
  for (let n = 1; n < parts.length; n++) files[`${parts.slice(0, n).join("/")}/`] ??= "";
  files[name] = bytes;
}
