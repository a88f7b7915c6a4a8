import { constants } from "node:os";
import { Failure } from "../../../base/index.ts";
import type { BlockReader } from "../../../device/index.ts";
import type { StoreAccess } from "../access.ts";
import { nameIn, pathIn, splitPath, type BackupStore, type StoredItem, type StoreWriter } from "../backup-store.ts";
import { ConnectionLost } from "../connection-lost.ts";
import type { RemotePlace } from "../place.ts";
import type { SmbItem } from "./calls.ts";
import { SmbReader, SmbWriter, type SmbFile } from "./files.ts";
import { SmbCallError, SmbThread } from "./smb-thread.ts";

const { errno } = constants;
const notThere: readonly number[] = [errno.ENOENT, errno.ENOTDIR];
const full: readonly number[] = [errno.ENOSPC, errno.EDQUOT, errno.EFBIG];
const refused: readonly number[] = [errno.EACCES, errno.EPERM];
const lost: readonly number[] = [
  errno.ECONNREFUSED,
  errno.ECONNRESET,
  errno.ECONNABORTED,
  errno.ENOTCONN,
  errno.EPIPE,
  errno.ETIMEDOUT,
  errno.EHOSTUNREACH,
  errno.ENETUNREACH,
  errno.ENETRESET,
  errno.ENETDOWN,
  errno.EBADF, // of a file whose connection was lost
  errno.EIO,
];

/** A folder of a share, by Samba's client library. */
export class SmbStore implements BackupStore {
  readonly name: string;
  readonly #place: RemotePlace;
  readonly #access: StoreAccess;
  readonly #thread = SmbThread.borrow();
  #share: Promise<string> | undefined;

  constructor(place: RemotePlace, access: StoreAccess) {
    if (place.path === "") {
      throw new Failure("usage", `cannot understand the place "${place.name}": it names no share`, {
        hint: "write smb://user@host/share/folder",
      });
    }
    this.name = place.name;
    this.#place = place;
    this.#access = access;
  }

  async list(folder: string): Promise<readonly StoredItem[]> {
    const items = await this.#call("read", folder, async (url) => this.#thread.call("list", url));
    return items.map(itemOf).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  async find(path: string): Promise<StoredItem | undefined> {
    const { folder, name } = splitPath(path);
    try {
      if (path === "") {
        await this.list("");
        return { name, kind: "folder", sizeBytes: 0, modifiedMs: 0 };
      }
      const items = await this.list(folder);
      // Names that differ only in upper and lower case are the same there.
      return (
        items.find((item) => item.name === name) ?? items.find((item) => item.name.toLowerCase() === name.toLowerCase())
      );
    } catch (error) {
      if (error instanceof Failure && error.code === "not-found") return undefined;
      throw error;
    }
  }

  async open(path: string): Promise<BlockReader> {
    const { fd, sizeBytes } = await this.#call("open", path, async (url) => this.#thread.call("open", url, "read"));
    return new SmbReader(this.#file(path, fd), sizeBytes);
  }

  async makeFolder(path: string): Promise<void> {
    if ((await this.find(path)) !== undefined) throw this.#exists(path);
    const { folder } = splitPath(path);
    if (path !== "" && (await this.find(folder)) === undefined) await this.makeFolder(folder);
    await this.#call("make the folder", path, async (url) => this.#thread.call("makeFolder", url));
  }

  async create(path: string): Promise<StoreWriter> {
    if ((await this.find(path)) !== undefined) throw this.#exists(path);
    return await SmbWriter.create(path, {
      find: (one) => this.find(one),
      remove: (one) => this.remove(one),
      rename: (from, to) => this.rename(from, to),
      open: async (one) => {
        const { fd } = await this.#call("write", one, async (url) => this.#thread.call("open", url, "write"));
        return this.#file(one, fd);
      },
    });
  }

  async put(path: string, bytes: Uint8Array): Promise<void> {
    await using writer = await this.create(path);
    if (bytes.length > 0) await writer.write(bytes);
    await writer.commit();
  }

  /** A file that was closed is the server's to keep. */
  async flush(): Promise<void> {}

  async rename(from: string, to: string): Promise<void> {
    if ((await this.find(to)) !== undefined) throw this.#exists(to);
    await this.#call("rename", from, async (url) => this.#thread.call("rename", url, await this.#url(to)));
  }

  async remove(path: string): Promise<void> {
    const item = await this.find(path);
    if (item === undefined) return;
    if (item.kind === "folder") for (const { name } of await this.list(path)) await this.remove(pathIn(path, name));
    const verb = item.kind === "folder" ? "removeFolder" : "removeFile";
    await this.#call("remove", path, async (url) => this.#thread.call(verb, url));
  }

  async freeBytes(): Promise<number | undefined> {
    const [share = ""] = this.#place.path.split("/");
    const url = `${await this.#server()}/${encodeURIComponent(share)}`;
    return await this.#call("look at", "", async () => this.#thread.call("freeBytes", url));
  }

  async largestFileBytes(): Promise<undefined> {
    return undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await SmbThread.giveBack();
  }

  #file(path: string, fd: number): SmbFile {
    return {
      name: nameIn(this, path),
      call: (action, work) => this.#call(action, path, async () => work(this.#thread, fd)),
    };
  }

  async #call<T>(action: string, path: string, work: (url: string) => Promise<T>): Promise<T> {
    try {
      return await work(await this.#url(path));
    } catch (error) {
      throw error instanceof SmbCallError ? this.#failure(action, path, error) : error;
    }
  }

  #failure(action: string, path: string, cause: SmbCallError): Failure {
    const about = `cannot ${action} "${nameIn(this, path)}"`;
    const is = (numbers: readonly number[]): boolean => numbers.includes(cause.errno);
    if (is(notThere)) return new Failure("not-found", `${about}: it is not there`, { cause });
    if (is([errno.EEXIST])) return new Failure("exists", `${about}: it is there already`, { cause });
    if (is(full)) return new Failure("no-space", `${about}: no space is left there`, { cause });
    if (is(lost)) return new ConnectionLost(`${about}: the server is not reached, or does not answer`, { cause });
    if (is(refused)) {
      return new Failure("failed", `${about}: the server refuses it`, { cause, hint: "are user and password right?" });
    }
    const known = Object.entries(errno).find(([, number]) => number === cause.errno)?.[0];
    return new Failure("failed", `${about}: the server says ${known ?? cause.errno}`, { cause });
  }

  #exists(path: string): Failure {
    return new Failure("exists", `cannot make "${nameIn(this, path)}": it is there already`);
  }

  async #url(path: string): Promise<string> {
    const names = pathIn(this.#place.path, path).split("/");
    const whole = names.filter((name) => name !== "").map(encodeURIComponent);
    return [await this.#server(), ...whole].join("/");
  }

  /** The address of the server with who asks, which only the library gets to see. */
  #server(): Promise<string> {
    this.#share ??= this.#login();
    return this.#share;
  }

  async #login(): Promise<string> {
    const { user, host, port } = this.#place;
    const question = user === undefined ? undefined : `Password of ${user} at ${host}: `;
    const password = (await this.#access.password?.(question)) ?? "";
    const [, domain, name = ""] = /^(?:([^;]*);)?(.*)$/.exec(user ?? "guest") ?? [];
    const who = `${domain === undefined ? "" : `${encodeURIComponent(domain)};`}${encodeURIComponent(name)}`;
    const where = host.includes(":") ? `[${host}]` : host;
    return `smb://${who}:${encodeURIComponent(password)}@${where}${port === undefined ? "" : `:${port}`}`;
  }
}

function itemOf({ name, isFolder, sizeBytes, modifiedMs }: SmbItem): StoredItem {
  return { name, kind: isFolder ? "folder" : "file", sizeBytes: isFolder ? 0 : sizeBytes, modifiedMs };
}
