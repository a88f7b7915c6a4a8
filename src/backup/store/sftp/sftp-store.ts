import type { FileEntryWithStats, Stats, SFTPWrapper } from "ssh2";
import { Failure } from "../../../base/index.ts";
import type { BlockReader } from "../../../device/index.ts";
import type { StoreAccess } from "../access.ts";
import { nameIn, pathIn, splitPath, type BackupStore, type StoredItem, type StoreWriter } from "../backup-store.ts";
import type { RemotePlace } from "../place.ts";
import { SftpConnection } from "./connection.ts";
import { SftpReader, SftpWriter, type Remote } from "./files.ts";

/** draft-ietf-secsh-filexfer-02 §7 */
const status = { noSuchFile: 2, denied: 3, failure: 4 } as const;

/** A folder of a machine that is reached by SFTP, version 3. A lost connection is made anew by the next call. */
export class SftpStore implements BackupStore, Remote {
  readonly name: string;
  readonly #place: RemotePlace;
  readonly #access: StoreAccess;
  #connection: Promise<SftpConnection> | undefined;

  constructor(place: RemotePlace, access: StoreAccess) {
    this.name = place.name;
    this.#place = place;
    this.#access = access;
  }

  async list(folder: string): Promise<readonly StoredItem[]> {
    const entries = await this.#do("read", folder, (connection) => {
      return connection.call<FileEntryWithStats[]>((sftp, done) => sftp.readdir(this.path(folder), done));
    });
    const names = entries.filter(({ filename }) => filename !== "." && filename !== "..");
    const items: StoredItem[] = [];
    for (const { filename, attrs } of names.toSorted((a, b) => (a.filename < b.filename ? -1 : 1))) {
      // Of a link what it leads to counts.
      const item = attrs.isSymbolicLink() ? await this.find(pathIn(folder, filename)) : itemOf(filename, attrs);
      if (item !== undefined) items.push(item);
    }
    return items;
  }

  async find(path: string): Promise<StoredItem | undefined> {
    try {
      const attrs = await this.#do("look at", path, (connection) => {
        return connection.call<Stats>((sftp, done) => sftp.stat(this.path(path), done));
      });
      return itemOf(splitPath(path).name, attrs);
    } catch (error) {
      if (error instanceof Failure && error.code === "not-found") return undefined;
      throw error;
    }
  }

  async open(path: string): Promise<BlockReader> {
    return await this.#do("open", path, (connection) => SftpReader.open(this, connection, path));
  }

  async makeFolder(path: string): Promise<void> {
    if ((await this.find(path)) !== undefined) throw this.exists(path);
    const { folder } = splitPath(path);
    if (path !== "" && (await this.find(folder)) === undefined) await this.makeFolder(folder);
    await this.#do("make the folder", path, (connection) => {
      return connection.call((sftp, done) => sftp.mkdir(this.path(path), (error) => done(error)));
    });
  }

  async create(path: string): Promise<StoreWriter> {
    if ((await this.find(path)) !== undefined) throw this.exists(path);
    return await this.#do("create", path, (connection) => SftpWriter.create(this, connection, path));
  }

  async put(path: string, bytes: Uint8Array): Promise<void> {
    await using writer = await this.create(path);
    if (bytes.length > 0) await writer.write(bytes);
    await writer.commit();
  }

  /** Each file was made durable when it was finished. */
  async flush(): Promise<void> {}

  async rename(from: string, to: string): Promise<void> {
    if ((await this.find(to)) !== undefined) throw this.exists(to);
    await this.#do("rename", from, (connection) => {
      return connection.call((sftp, done) => sftp.rename(this.path(from), this.path(to), (error) => done(error)));
    });
  }

  async remove(path: string): Promise<void> {
    const item = await this.find(path);
    if (item === undefined) return;
    if (item.kind === "folder") {
      for (const { name } of await this.list(path)) await this.remove(pathIn(path, name));
    }
    await this.#do("remove", path, (connection) => {
      const system = this.path(path);
      return connection.call((sftp, done) => {
        if (item.kind === "folder") sftp.rmdir(system, (error) => done(error));
        else sftp.unlink(system, (error) => done(error));
      });
    });
  }

  async freeBytes(): Promise<number | undefined> {
    const connection = await this.#connect();
    let path = this.#place.path;
    for (; ; path = splitPath(path).folder) {
      try {
        return await connection.call<number | undefined>((sftp, done) => {
          askRoom(sftp, systemPath(path), done);
        });
      } catch (error) {
        if (error instanceof Failure) throw error;
        if (path === "" || path === "~") return undefined;
      }
    }
  }

  async largestFileBytes(): Promise<undefined> {
    return undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const connection = await this.#connection?.catch(() => undefined); // whoever called has heard of it
    await connection?.[Symbol.asyncDispose]();
  }

  /** A path as the server has it. */
  path(path: string): string {
    return systemPath(pathIn(this.#place.path, path).replace(/\/$/, ""));
  }

  exists(path: string): Failure {
    return new Failure("exists", `cannot make "${nameIn(this, path)}": it is there already`);
  }

  async failure(action: string, path: string, error: unknown): Promise<unknown> {
    if (error instanceof Failure || !(error instanceof Error)) return error;
    const code = "code" in error ? error.code : undefined;
    const about = `cannot ${action} "${nameIn(this, path)}"`;
    if (code === status.noSuchFile) return new Failure("not-found", `${about}: it is not there`, { cause: error });
    if (code === status.denied) return new Failure("failed", `${about}: permission denied`, { cause: error });
    // Version 3 of the protocol does not tell why.
    const isFull = code === status.failure && action === "write" && (await this.#isFull());
    if (isFull) return new Failure("no-space", `${about}: no space is left there`, { cause: error });
    return new Failure("failed", `${about}: the server says "${error.message}"`, { cause: error });
  }

  async #isFull(): Promise<boolean> {
    try {
      return ((await this.freeBytes()) ?? Infinity) < fullBelowBytes;
    } catch {
      return false; // what failed first is told
    }
  }

  async #do<T>(action: string, path: string, work: (connection: SftpConnection) => Promise<T>): Promise<T> {
    try {
      return await work(await this.#connect());
    } catch (error) {
      throw await this.failure(action, path, error);
    }
  }

  async #connect(): Promise<SftpConnection> {
    const connection = await this.#connection?.catch(() => undefined);
    if (connection !== undefined && !connection.isLost) return connection;
    this.#connection = SftpConnection.open(this.#place, this.#access);
    return await this.#connection;
  }
}

/** What a file system keeps back can be more than nothing. */
const fullBelowBytes = 1024 * 1024;

/** `~` is where one is after logging in. */
function systemPath(path: string): string {
  if (path === "~") return ".";
  return path.startsWith("~/") ? path.slice(2) : `/${path}`;
}

function askRoom(
  sftp: SFTPWrapper,
  path: string,
  done: (error: Error | null | undefined, value?: number) => void,
): void {
  sftp.ext_openssh_statvfs(path, (error: Error | undefined, info: unknown) => {
    if (error !== undefined) return done(error);
    const { f_bavail: blocks, f_frsize: blockBytes } = info as { f_bavail: number | bigint; f_frsize: number | bigint };
    done(undefined, Number(blocks) * Number(blockBytes));
  });
}

function itemOf(name: string, attrs: Stats): StoredItem | undefined {
  const modifiedMs = attrs.mtime * 1000;
  if (attrs.isDirectory()) return { name, kind: "folder", sizeBytes: 0, modifiedMs };
  return attrs.isFile() ? { name, kind: "file", sizeBytes: attrs.size, modifiedMs } : undefined;
}
