import * as fs from "node:fs";
import * as path from "node:path";
import { libc } from "../../../src/base/index.ts";
import { runPeer } from "../../peers/peer.ts";
import type { TemporaryFolder } from "../../temp.ts";
import { whileMounted } from "./mounted.ts";
import { noise } from "./sample-folder.ts";

/** File systems in which files wait to be deleted or cut: name, options of mke2fs. */
export const orphanedKinds: readonly (readonly [name: string, options: readonly string[]])[] = [
  ["ext4", ["-t", "ext4"]],
  ["ext4 with an orphan file", ["-t", "ext4", "-O", "orphan_file"]],
  ["ext4 with values of attributes in files", ["-t", "ext4", "-b", "1024", "-O", "ea_inode"]],
  ["ext4 with an orphan file without checksums", ["-t", "ext4", "-b", "1024", "-O", "orphan_file,^metadata_csum"]],
  ["ext4 with data in inodes", ["-t", "ext4", "-O", "inline_data"]],
  ["ext4 without extents", ["-t", "ext4", "-O", "^metadata_csum,^64bit,^extent,uninit_bg"]],
  ["ext3", ["-t", "ext3", "-b", "1024", "-I", "128"]],
];

/** The files that are to be cut, and to which size. */
const cuts = { "cut/pieces": 50_000, "cut/whole": 700_123, "cut/tiny": 20, "cut/small": 80, "cut/all": 0 } as const;

/**
 * Makes the image of a machine that lost power: files open that have no name any more, of every kind, and some that
 * were being cut. Its journal waits to be replayed, unless something was cut. Needs root.
 */
export async function orphanedImage(
  folder: TemporaryFolder,
  options: readonly string[],
  { isCut }: { readonly isCut: boolean },
): Promise<string> {
  const [mounted, image, mountPoint] = [folder.join("mounted"), folder.join("orphaned"), folder.join("mnt")];
  fs.rmSync(mounted, { force: true });
  runPeer("mke2fs", ["-q", "-F", ...options, mounted, "48M"]);
  await whileMounted(mounted, mountPoint, "rw", async () => {
    fill(mountPoint);
    const open = takeNames(mountPoint);
    runPeer("sync", ["-f", mountPoint]);
    fs.copyFileSync(mounted, image);
    for (const fd of open) fs.closeSync(fd);
  });
  if (isCut) cutFiles(image);
  return image;
}

function fill(root: string): void {
  const at = (name: string) => path.join(root, name);
  for (const name of ["kept", "gone", "cut", "gone/folder", "gone/full"]) fs.mkdirSync(at(name));
  for (const place of ["kept", "gone"]) {
    for (let n = 0; n < 12; n++) fs.writeFileSync(at(`${place}/${n}`), noise(n, n * n * n * 70));
    for (let n = 0; n < 6; n++) {
      const name = Buffer.from(`${at(`${place}/${n}`)}\0`);
      libc()?.setXattr(name, "user.some", noise(7, 600)); // the same for several: they share a block, or a value
      libc()?.setXattr(name, "user.large", noise(8, 9_000));
    }
    fs.writeFileSync(at(`${place}/short`), "a few words");
  }
  for (let n = 0; n < 400; n++) fs.writeFileSync(at(`gone/full/${n}-${"x".repeat(n % 90)}`), "");
  inPieces(at("gone/pieces"), at("cut/pieces"));
  fs.writeFileSync(at("cut/whole"), noise(3, 3_000_000));
  fs.writeFileSync(at("cut/tiny"), noise(4, 59));
  fs.writeFileSync(at("cut/small"), noise(6, 130));
  fs.writeFileSync(at("cut/all"), noise(5, 400_000));
  reserve(at("gone/reserved"));
}

/** Two files that grow by turns, with gaps: their maps have several levels. */
function inPieces(...files: readonly string[]): void {
  const fds = files.map((file) => fs.openSync(file, "w"));
  for (let n = 0; n < 700; n++) {
    for (const fd of fds) fs.writeSync(fd, noise(n, 1024), 0, 1024, n * 8192);
    if (n % 50 === 0) for (const fd of fds) fs.fsyncSync(fd);
  }
  for (const fd of fds) fs.closeSync(fd);
}

function reserve(file: string): void {
  const fd = fs.openSync(file, "w");
  libc()?.preallocate(fd, 0, 500_000);
  fs.closeSync(fd);
}

/** Opens everything in `gone`, and takes it away. */
function takeNames(root: string): number[] {
  const gone = path.join(root, "gone");
  const open = fs.readdirSync(gone).map((name) => fs.openSync(path.join(gone, name), "r"));
  fs.rmSync(gone, { recursive: true });
  return open;
}

/** Makes files smaller and says that their blocks are still to be let go of. */
function cutFiles(image: string): void {
  replayOnly(image);
  let first = Number(/^First orphan inode:\s+(\d+)$/m.exec(runPeer("dumpe2fs", ["-h", image]))?.[1] ?? 0);
  const commands: string[] = [];
  for (const [file, sizeBytes] of Object.entries(cuts)) {
    const inode = Number(/Inode: (\d+)/.exec(runPeer("debugfs", ["-R", `stat /${file}`, image]))?.[1]);
    commands.push(`set_inode_field <${inode}> size ${sizeBytes}`, `set_inode_field <${inode}> dtime ${first}`);
    first = inode;
  }
  commands.push(`set_super_value last_orphan ${first}`);
  debugfs(image, commands);
}

/** The inodes that `listedImage` has on its list, the first first, and their sizes; one that is to be cut has a name. */
const listed = [
  { file: "gone-1", sizeBytes: 300_000, isCut: false },
  { file: "cut", sizeBytes: 5_000, isCut: true },
  { file: "gone-2", sizeBytes: 40_000, isCut: false },
] as const;

/** Makes an image with a list of files to delete and to cut, and gives their inodes. Without root, by debugfs alone. */
export function listedImage(image: string, folder: TemporaryFolder, options: readonly string[]): number[] {
  const root = folder.join("listed");
  fs.rmSync(root, { recursive: true, force: true });
  fs.mkdirSync(root);
  for (const { file } of listed) fs.writeFileSync(path.join(root, file), noise(file.length, 300_000));
  fs.writeFileSync(path.join(root, "kept"), noise(9, 100_000));
  fs.rmSync(image, { force: true });
  runPeer("mke2fs", ["-q", "-F", ...options, "-d", root, image, "8M"]);
  runPeer("sh", ["-c", 'e2fsck -fy "$1" || test $? = 1', "sh", image]); // mke2fs counts no quotas of what it fills in
  const inodes = listed.map(({ file }) =>
    Number(/Inode: (\d+)/.exec(runPeer("debugfs", ["-R", `stat /${file}`, image]))?.[1]),
  );
  const commands = listed.flatMap(({ file, sizeBytes, isCut }, n) => [
    `set_inode_field <${inodes[n]}> size ${sizeBytes}`,
    `set_inode_field <${inodes[n]}> dtime ${inodes[n + 1] ?? 0}`,
    ...(isCut ? [] : [`unlink /${file}`, `set_inode_field <${inodes[n]}> links_count 0`]),
  ]);
  commands.push(`set_super_value last_orphan ${inodes[0]}`);
  debugfs(image, commands);
  return inodes;
}

/** Has debugfs carry out commands. */
export function debugfs(image: string, commands: readonly string[]): void {
  runPeer("debugfs", ["-w", "-f", "-", image], { input: `${commands.join("\n")}\n` });
}

/** Replays the journal and does nothing else; e2fsck would clear orphans at once. */
function replayOnly(image: string): void {
  runPeer("debugfs", ["-w", "-R", "journal_run", image]);
}
