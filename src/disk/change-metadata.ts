import { resolvePath, type EditableFileSystem, type FileStat, type MetadataChange } from "../filesystem/index.ts";
import type { ChangeModeEdit, ChangeOwnerEdit } from "./edit.ts";
import type { EditContext } from "./edit-places.ts";
import { ownerFrom } from "./image-accounts.ts";
import { walkFiles } from "./walk-files.ts";

const setUserId = 0o4000;
const setGroupId = 0o2000;
const groupMayExecute = 0o010;
const capabilities = "security.capability";

/** Changes permissions, as chmod(1): links that are named are followed, those that are met below are left alone. */
export async function changeModes(context: EditContext, edit: ChangeModeEdit): Promise<void> {
  const { fileSystem } = context;
  await changeEach(
    context,
    edit,
    (stat) => {
      if (stat.kind === "symlink") return undefined;
      return { mode: edit.mode.apply(stat.mode, stat.kind === "directory") };
    },
    async (path) => resolvePath(fileSystem, path),
  );
}

/** Changes owners, as chown(1): a link that is named is followed, but not with `-R`, which changes links themselves. */
export async function changeOwners(context: EditContext, edit: ChangeOwnerEdit): Promise<void> {
  const { fileSystem } = context;
  const owner = await ownerFrom(fileSystem, edit.owner);
  const followLast = !edit.recursive && !edit.noDereference;
  await changeEach(
    context,
    edit,
    (stat) => ({ ...owner, ...lostWith(stat) }),
    async (path) => resolvePath(fileSystem, path, { followLast }),
  );
}

/** As the kernel has it (chown(2)), what let a program act for its owner does not go to the next one. */
function lostWith({ kind, mode, xattrs }: FileStat): MetadataChange {
  if (kind === "directory" || kind === "symlink") return {};
  const lost = setUserId | ((mode & groupMayExecute) === 0 ? 0 : setGroupId);
  const kept = new Map(xattrs);
  return {
    ...((mode & lost) === 0 ? {} : { mode: mode & ~lost }),
    ...(kept.delete(capabilities) ? { xattrs: kept } : {}),
  };
}

async function changeEach(
  context: EditContext,
  edit: { readonly paths: readonly string[]; readonly recursive: boolean },
  changeOf: (stat: FileStat) => MetadataChange | undefined,
  idAt: (path: string) => Promise<number>,
): Promise<void> {
  const { fileSystem } = context;
  for (const path of edit.paths) {
    const id = await idAt(path);
    if (!edit.recursive) {
      await changeOne(fileSystem, await fileSystem.stat(id), changeOf);
      continue;
    }
    for await (const { stat } of walkFiles(context, { id, place: undefined, path })) {
      await changeOne(fileSystem, stat, changeOf);
    }
  }
}

async function changeOne(
  fileSystem: EditableFileSystem,
  stat: FileStat,
  changeOf: (stat: FileStat) => MetadataChange | undefined,
): Promise<void> {
  const change = changeOf(stat);
  if (change !== undefined) await fileSystem.setMetadata(stat.id, change);
}
