import type { MakeDirectoryEdit } from "./edit.ts";
import { directoryAt, placeAt, type EditContext } from "./edit-places.ts";
import { ownerFrom } from "./image-accounts.ts";

/** What a symbolic mode of a new directory starts from, as with mkdir(1). */
const allPermissions = 0o777;

type Wish = Pick<MakeDirectoryEdit, "parents" | "mode" | "owner">;

/** Makes a directory, with `parents` those on the way too; then one that is there already will do. */
export async function makeDirectory(context: EditContext, filePath: string, wish: Wish): Promise<void> {
  const { fileSystem, now } = context;
  const { parents, mode } = wish;
  const owner = wish.owner === undefined ? {} : await ownerFrom(fileSystem, wish.owner);
  const names = filePath.split("/").filter((name) => name !== "" && name !== ".");
  for (let count = parents ? 1 : names.length; count <= names.length; count++) {
    const part = `/${names.slice(0, count).join("/")}`;
    if (parents && (await directoryAt(fileSystem, part)) !== undefined) continue;
    const isLast = count === names.length;
    await fileSystem.create(await placeAt(fileSystem, part), {
      kind: "directory",
      mode: isLast && mode !== undefined ? mode.apply(allPermissions, true) : 0o755,
      uid: 0,
      gid: 0,
      ...owner,
      modified: now,
      sizeBytes: 0,
    });
  }
}
